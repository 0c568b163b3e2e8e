//! Which passwords are good enough, and advice for those that are not.
//!
//! The rules follow NIST SP 800-63B, 5.1.1: a least length, no rules about kinds of characters,
//! and what is commonly used or easy to guess is refused. How hard it is to guess is estimated by
//! zxcvbn (Wheeler, USENIX Security 2016), whose lists hold the common passwords, too.

use zxcvbn::Score;
use zxcvbn::feedback::{Feedback, Suggestion, Warning};

use crate::app::App;
use crate::ctx::{Ctx, Role};
use crate::error::{FieldErrors, Result};
use crate::types::Locale;

/// The fewest characters of a password.
pub const MIN_PASSWORD: usize = 8;
/// The most characters of a password.
pub const MAX_PASSWORD: usize = 256;

/// Whose password it is to be.
pub(super) struct Owner<'a> {
    /// Their address, as they wrote it.
    pub email: &'a str,
    /// How they want to be called.
    pub name: &'a str,
    /// What they are: who works here needs a better one.
    pub role: Role,
}

/// Looks at a new password, and adds a message at `field` when it is not good enough. Any
/// characters are fine, and none is cut off: what was typed is the password.
pub(super) async fn check(
    app: &App,
    ctx: &Ctx,
    errors: &mut FieldErrors,
    field: &str,
    password: &str,
    owner: &Owner<'_>,
) -> Result<()> {
    let length = password.chars().count();
    let say = |english, spanish| said(ctx.locale, english, spanish);
    if length == 0 {
        errors.add(
            field,
            "required",
            say("Choose a password.", "Elige una contraseña."),
        );
    } else if length < MIN_PASSWORD {
        let message = match ctx.locale {
            Locale::English => format!("Use at least {MIN_PASSWORD} characters."),
            Locale::Spanish => format!("Usa al menos {MIN_PASSWORD} caracteres."),
        };
        errors.add(field, "length", message);
    } else if length > MAX_PASSWORD {
        let message = match ctx.locale {
            Locale::English => format!("Use at most {MAX_PASSWORD} characters."),
            Locale::Spanish => format!("Usa como máximo {MAX_PASSWORD} caracteres."),
        };
        errors.add(field, "length", message);
    } else if is_of_the_owner(password, owner) {
        let message = say(
            "This is your name or e-mail. Choose something that nobody can know.",
            "Es tu nombre o tu correo. Elige algo que nadie pueda saber.",
        );
        errors.add(field, "weak", message);
    } else {
        let found = app.passwords.strength(password, known(app, owner)).await?;
        if found.score() < needed(owner.role) {
            errors.add(field, "weak", advice(found.feedback(), ctx.locale));
        }
    }
    Ok(())
}

/// The fewest points that a password must have. Two of four is "somewhat guessable": more than
/// a million tries, where ten within a quarter of an hour close the account. Who works here can
/// do more harm: their password must stand even an attack on a stolen hash for long.
fn needed(role: Role) -> Score {
    match role {
        Role::Customer => Score::Two,
        Role::Staff | Role::Admin => Score::Three,
    }
}

/// What an attacker would try first.
fn known(app: &App, owner: &Owner<'_>) -> Vec<String> {
    let words = |text: &str| {
        let words = text.split(|sign: char| !sign.is_alphanumeric());
        let words = words.filter(|word| word.chars().count() > 2);
        words.map(str::to_lowercase).collect::<Vec<_>>()
    };
    let mut known = words(owner.email);
    known.extend(words(owner.name));
    known.extend(words(&app.config.shop_name));
    known
}

fn is_of_the_owner(password: &str, owner: &Owner<'_>) -> bool {
    let password = password.trim().to_lowercase();
    let email = owner.email.trim().to_lowercase();
    let local = email.split('@').next().unwrap_or_default();
    [&email, local, &owner.name.to_lowercase()].contains(&password.as_str())
}

fn said(locale: Locale, english: &'static str, spanish: &'static str) -> &'static str {
    match locale {
        Locale::English => english,
        Locale::Spanish => spanish,
    }
}

/// What is wrong with a password and how to make a better one, in the reader's language.
fn advice(feedback: Option<&Feedback>, locale: Locale) -> String {
    let warning = feedback.and_then(Feedback::warning);
    let mut sentences = vec![match warning {
        Some(warning) => what_is_wrong(warning, locale),
        None => said(
            locale,
            "This is too easy to guess.",
            "Es demasiado fácil de adivinar.",
        ),
    }];
    let suggestions = feedback.map_or(&[][..], Feedback::suggestions);
    sentences.extend(suggestions.iter().map(|&one| how_to_mend(one, locale)));
    if suggestions.is_empty() {
        let more = Suggestion::AddAnotherWordOrTwo;
        sentences.push(how_to_mend(more, locale));
    }
    sentences.join(" ")
}

fn what_is_wrong(warning: Warning, locale: Locale) -> &'static str {
    let (english, spanish) = match warning {
        Warning::StraightRowsOfKeysAreEasyToGuess => (
            "Rows of keys are easy to guess.",
            "Las filas de teclas son fáciles de adivinar.",
        ),
        Warning::ShortKeyboardPatternsAreEasyToGuess => (
            "Short patterns on the keyboard are easy to guess.",
            "Los patrones cortos del teclado son fáciles de adivinar.",
        ),
        Warning::RepeatsLikeAaaAreEasyToGuess => (
            "The same character again and again is easy to guess.",
            "Repetir un carácter es fácil de adivinar.",
        ),
        Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => (
            "Repeating it hardly makes it harder to guess.",
            "Repetirlo apenas la hace más difícil de adivinar.",
        ),
        Warning::ThisIsATop10Password
        | Warning::ThisIsATop100Password
        | Warning::ThisIsACommonPassword => (
            "Many people use this password.",
            "Mucha gente usa esta contraseña.",
        ),
        Warning::ThisIsSimilarToACommonlyUsedPassword => (
            "This is close to a password that many people use.",
            "Se parece a una contraseña que usa mucha gente.",
        ),
        Warning::SequencesLikeAbcAreEasyToGuess => (
            "Sequences such as abc or 6543 are easy to guess.",
            "Las secuencias como abc o 6543 son fáciles de adivinar.",
        ),
        Warning::RecentYearsAreEasyToGuess => (
            "Recent years are easy to guess.",
            "Los años recientes son fáciles de adivinar.",
        ),
        Warning::AWordByItselfIsEasyToGuess => (
            "A single word is easy to guess.",
            "Una sola palabra es fácil de adivinar.",
        ),
        Warning::DatesAreOftenEasyToGuess => (
            "Dates are easy to guess.",
            "Las fechas son fáciles de adivinar.",
        ),
        Warning::NamesAndSurnamesByThemselvesAreEasyToGuess
        | Warning::CommonNamesAndSurnamesAreEasyToGuess => (
            "Names are easy to guess.",
            "Los nombres son fáciles de adivinar.",
        ),
    };
    said(locale, english, spanish)
}

fn how_to_mend(suggestion: Suggestion, locale: Locale) -> &'static str {
    let (english, spanish) = match suggestion {
        Suggestion::UseAFewWordsAvoidCommonPhrases => (
            "Use a few words that do not belong together.",
            "Usa varias palabras que no vayan juntas.",
        ),
        Suggestion::NoNeedForSymbolsDigitsOrUppercaseLetters => (
            "Signs, digits and capitals are not needed.",
            "No hacen falta signos, cifras ni mayúsculas.",
        ),
        Suggestion::AddAnotherWordOrTwo => (
            "Add a word or two, better unusual ones.",
            "Añade una o dos palabras, mejor poco comunes.",
        ),
        Suggestion::CapitalizationDoesntHelpVeryMuch
        | Suggestion::AllUppercaseIsAlmostAsEasyToGuessAsAllLowercase => {
            ("Capitals hardly help.", "Las mayúsculas apenas ayudan.")
        }
        Suggestion::ReversedWordsArentMuchHarderToGuess => (
            "Words written backwards hardly help.",
            "Escribir al revés apenas ayuda.",
        ),
        Suggestion::PredictableSubstitutionsDontHelpVeryMuch => (
            "Signs in place of letters, such as @ for a, hardly help.",
            "Cambiar letras por signos, como @ por a, apenas ayuda.",
        ),
        Suggestion::UseALongerKeyboardPatternWithMoreTurns => (
            "A longer pattern with more turns would be better.",
            "Sería mejor un patrón más largo y con más giros.",
        ),
        Suggestion::AvoidRepeatedWordsAndCharacters => ("Repeat nothing.", "No repitas nada."),
        Suggestion::AvoidSequences => ("Leave sequences out.", "Evita las secuencias."),
        Suggestion::AvoidRecentYears
        | Suggestion::AvoidYearsThatAreAssociatedWithYou
        | Suggestion::AvoidDatesAndYearsThatAreAssociatedWithYou => {
            ("Leave years and dates out.", "Evita años y fechas.")
        }
    };
    said(locale, english, spanish)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The advice for a password.
    fn advised(password: &str, locale: Locale) -> String {
        advice(zxcvbn::zxcvbn(password, &[]).feedback(), locale)
    }

    #[test]
    fn advice_says_what_is_wrong_and_how_to_mend_it() {
        assert_eq!(
            advised("password", Locale::English),
            "Many people use this password. Add a word or two, better unusual ones."
        );
        assert_eq!(
            advised("aaaaaaaaaa", Locale::Spanish),
            "Repetir un carácter es fácil de adivinar. Añade una o dos palabras, mejor poco \
            comunes. No repitas nada."
        );
        assert!(advised("qwertyuiop", Locale::English).starts_with("Many people"));
        assert!(advised("abcdefghij", Locale::English).starts_with("Sequences such as abc"));
    }

    #[test]
    fn ones_own_name_is_no_password() {
        let owner = Owner {
            email: "ada.lovelace@example.com",
            name: "Countess of Lovelace",
            role: Role::Customer,
        };
        for own in [
            "Ada.Lovelace@example.com",
            "ADA.LOVELACE",
            "countess of lovelace",
        ] {
            assert!(is_of_the_owner(own, &owner), "{own}");
        }
        assert!(!is_of_the_owner("ada.lovelace and a horse", &owner));
    }
}
