//! What leaves the house: parcels, who carries them, and where they are followed.

use crate::types::{FulfilmentId, OrderLineId, Timestamp, text_enum};

/// Where a parcel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FulfilmentState {
    /// On its way.
    Sent,
    /// Arrived.
    Delivered,
}
text_enum!(FulfilmentState { Sent => "sent", Delivered => "delivered" });

impl FulfilmentState {
    /// The one table of allowed changes.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::Sent => &[Self::Delivered],
            Self::Delivered => &[],
        }
    }

    /// As a shopper reads it.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Sent => "On its way",
            Self::Delivered => "Delivered",
        }
    }
}

/// A part of an order that left the house together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fulfilment {
    /// Its id.
    pub id: FulfilmentId,
    /// Its number within the order, from 1.
    pub number: i64,
    /// Where it is.
    pub state: FulfilmentState,
    /// Who carries it and where it is followed.
    pub tracking: Tracking,
    /// What is in it.
    pub lines: Vec<FulfilmentLine>,
    /// When it was sent.
    pub created_at: Timestamp,
    /// When it arrived, if it did.
    pub delivered_at: Option<Timestamp>,
}

impl Fulfilment {
    /// Pieces in all.
    pub fn count(&self) -> i64 {
        self.lines.iter().map(|line| line.quantity).sum()
    }

    /// Pieces of a line of the order.
    pub fn count_of(&self, line: OrderLineId) -> i64 {
        let lines = self.lines.iter();
        let own = lines.filter(|one| one.order_line_id == line);
        own.map(|one| one.quantity).sum()
    }
}

/// Pieces of a line of the order in a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FulfilmentLine {
    /// Which line.
    pub order_line_id: OrderLineId,
    /// How many of it.
    pub quantity: i64,
}

/// Who carries a parcel, and where it is followed; all of it may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracking {
    /// The code of one of [`CARRIERS`], or empty.
    pub carrier: String,
    /// What the carrier calls the parcel.
    pub number: String,
    /// The page where it is followed; `https` only.
    pub url: String,
}

impl Tracking {
    /// The carrier's name; empty where none is known.
    pub fn carrier_name(&self) -> &'static str {
        carrier(&self.carrier).map_or("", |carrier| carrier.name)
    }

    /// In words: `DHL 00340434`.
    pub fn in_words(&self) -> String {
        let words = format!("{} {}", self.carrier_name(), self.number);
        words.trim().to_owned()
    }
}

/// Somebody who carries parcels and shows on a page where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// For programs.
    pub code: &'static str,
    /// For people.
    pub name: &'static str,
    /// The page of a parcel; its number stands in place of `{}`.
    pattern: &'static str,
}

impl Carrier {
    /// The page of a parcel; empty without a number.
    pub fn url(&self, number: &str) -> String {
        if number.is_empty() {
            return String::new();
        }
        let number: String = form_urlencoded::byte_serialize(number.as_bytes()).collect();
        // In a path or a fragment a plus is a plus.
        self.pattern.replace("{}", &number.replace('+', "%20"))
    }
}

/// Carriers whose pages are known.
pub const CARRIERS: &[Carrier] = &[
    Carrier {
        code: "correos",
        name: "Correos",
        pattern: "https://www.correos.es/es/es/herramientas/localizador/envios/detalle?tracking-number={}",
    },
    Carrier {
        code: "dhl",
        name: "DHL",
        pattern: "https://www.dhl.com/global-en/home/tracking.html?tracking-id={}",
    },
    Carrier {
        code: "dpd",
        name: "DPD",
        pattern: "https://tracking.dpd.de/status/en_US/parcel/{}",
    },
    Carrier {
        code: "fedex",
        name: "FedEx",
        pattern: "https://www.fedex.com/fedextrack/?trknbr={}",
    },
    Carrier {
        code: "gls",
        name: "GLS",
        pattern: "https://gls-group.eu/track/{}",
    },
    Carrier {
        code: "la_poste",
        name: "La Poste",
        pattern: "https://www.laposte.fr/outils/suivre-vos-envois?code={}",
    },
    Carrier {
        code: "royal_mail",
        name: "Royal Mail",
        pattern: "https://www.royalmail.com/track-your-item#/tracking-results/{}",
    },
    Carrier {
        code: "seur",
        name: "SEUR",
        pattern: "https://www.seur.com/livetracking/?segOnlineIdentificador={}",
    },
    Carrier {
        code: "ups",
        name: "UPS",
        pattern: "https://www.ups.com/track?tracknum={}",
    },
    Carrier {
        code: "usps",
        name: "USPS",
        pattern: "https://tools.usps.com/go/TrackConfirmAction?tLabels={}",
    },
];

/// The carrier of a code.
pub fn carrier(code: &str) -> Option<&'static Carrier> {
    CARRIERS.iter().find(|carrier| carrier.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_carriers_page_takes_any_number() {
        for carrier in CARRIERS {
            let url = carrier.url("AB 12/ü&x=1");
            assert!(url.starts_with("https://"), "{url}");
            assert!(url.ends_with("AB%2012%2F%C3%BC%26x%3D1"), "{url}");
            assert_eq!(carrier.url(""), "");
            assert_eq!(super::carrier(carrier.code), Some(carrier));
        }
        assert_eq!(super::carrier(""), None);
    }

    #[test]
    fn a_parcel_arrives_once() {
        use FulfilmentState::{Delivered, Sent};
        assert_eq!(Sent.next(), [Delivered]);
        assert!(Delivered.next().is_empty());
    }
}
