//! Registering, signing in and out, passwords, addresses, tokens, profiles.

mod admins;
mod close;
pub(in crate::accounts) mod email;
mod ensure;
mod input;
pub(in crate::accounts) mod password;
mod personal;
mod profile;
mod sessions;
mod sign_in;
mod staff;
mod strength;
mod sweep;
mod throttle;
mod tokens;
mod two_factor;

pub use admins::{create_admin, ensure_admin};
pub use close::{CloseAccount, may_close, remove};
pub use email::{confirm_email_change, request_email_change, send_verification, verify_email};
pub use ensure::ensure_customers;
pub use input::{
    ChangeEmail, ChangePassword, ForgotPassword, LinkToken, Register, ResetPassword, SignIn,
    UpdateProfile,
};
pub use password::{BAD_LINK, change_password, check_reset, forgot_password, reset_password};
pub use personal::{
    MAX_TOKEN_DAYS, NewToken, make_personal_token, personal_tokens, revoke_personal_token,
};
pub use profile::{current_user, lock, me, update_profile, user, user_of_confirmed};
pub use sessions::{end_other_sign_ins, end_sign_in, sign_ins};
pub use sign_in::{WRONG_CREDENTIALS, register, sign_in};
pub use staff::{NewStaff, StaffInput, add_staff, list_staff, staff_member, update_staff};
pub use strength::{MAX_PASSWORD, MIN_PASSWORD};
pub use sweep::SWEEP;
pub use throttle::{Attempt, count_guess, count_letter, count_writing};
pub use tokens::{Client, authenticate, issue_tokens, refresh, revoke, rotate_keys};
pub use two_factor::{
    BothFactors, TWO_FACTOR_REQUIRED, TurnOn, WRONG_CODE, new_recovery_codes, new_two_factor,
    reset_two_factor, second_step, turn_off_two_factor, turn_on_two_factor, two_factor,
    two_factor_with,
};
