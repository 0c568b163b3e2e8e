//! Values that travel to a database, and our own types as columns.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Type};

use crate::types::*;

/// A value bound to a placeholder. `None` is a null of that type.
#[derive(Clone, Debug)]
pub enum Value {
    /// `bigint`
    Int(Option<i64>),
    /// `text`
    Text(Option<String>),
    /// `boolean`
    Bool(Option<bool>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(Some(value))
    }
}

impl From<String> for Value {
    /// A NUL, which PostgreSQL cannot hold, becomes U+FFFD: no input may break a statement.
    fn from(value: String) -> Self {
        Self::Text(Some(if value.contains('\0') {
            value.replace('\0', "\u{fffd}")
        } else {
            value
        }))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        value.to_owned().into()
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        value.clone().into()
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<Option<bool>> for Value {
    fn from(value: Option<bool>) -> Self {
        Self::Bool(value)
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        value.map_or(Self::Text(None), Self::from)
    }
}

impl From<&Option<String>> for Value {
    fn from(value: &Option<String>) -> Self {
        value.clone().into()
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        value.map(str::to_owned).into()
    }
}

impl From<&Email> for Value {
    fn from(value: &Email) -> Self {
        value.as_str().into()
    }
}

impl From<&Slug> for Value {
    fn from(value: &Slug) -> Self {
        value.as_str().into()
    }
}

/// Makes newtypes over `i64` columns and placeholders.
macro_rules! integer_columns {
    ($($name:ident),+ $(,)?) => {$(
        impl From<$name> for Value {
            fn from(value: $name) -> Self {
                Self::Int(Some(value.0))
            }
        }

        impl From<Option<$name>> for Value {
            fn from(value: Option<$name>) -> Self {
                Self::Int(value.map(|value| value.0))
            }
        }

        impl<DB: Database> Type<DB> for $name
        where
            i64: Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <i64 as Type<DB>>::type_info()
            }
            fn compatible(ty: &DB::TypeInfo) -> bool {
                <i64 as Type<DB>>::compatible(ty)
            }
        }

        impl<'r, DB: Database> Decode<'r, DB> for $name
        where
            i64: Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
                i64::decode(value).map(Self)
            }
        }
    )+};
}

integer_columns! {
    UserId, CategoryId, ProductId, VariantId, ImageId, ReviewId, LocationId, ShippingMethodId,
    PromotionId, PromotionCodeId, CartId, CartItemId, OrderId, OrderLineId, PaymentId, OperationId,
    PaymentEventId, RefundId, Timestamp, ImportId, ImportProductId, AddressId, ImportPictureId,
    TaxRateId, ShippingZoneId, FulfilmentId, InvoiceId, ReturnId, OrderViewId, CreditAccountId,
    CreditEntryId,
}

impl<'q, DB: Database> Encode<'q, DB> for Value
where
    Option<i64>: Encode<'q, DB>,
    Option<String>: Encode<'q, DB>,
    Option<bool>: Encode<'q, DB>,
    i64: Type<DB>,
    String: Type<DB>,
    bool: Type<DB>,
{
    fn encode_by_ref(
        &self,
        buffer: &mut <DB as Database>::ArgumentBuffer,
    ) -> Result<IsNull, BoxDynError> {
        match self {
            Self::Int(value) => value.encode_by_ref(buffer),
            Self::Text(value) => value.encode_by_ref(buffer),
            Self::Bool(value) => value.encode_by_ref(buffer),
        }
    }

    fn produces(&self) -> Option<DB::TypeInfo> {
        Some(match self {
            Self::Int(_) => <i64 as Type<DB>>::type_info(),
            Self::Text(_) => <String as Type<DB>>::type_info(),
            Self::Bool(_) => <bool as Type<DB>>::type_info(),
        })
    }
}

impl<DB: Database> Type<DB> for Value
where
    String: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <String as Type<DB>>::type_info()
    }
    fn compatible(_: &DB::TypeInfo) -> bool {
        true
    }
}

impl<T: TextEnum> From<T> for Value {
    fn from(value: T) -> Self {
        value.as_str().into()
    }
}

impl<T: TextEnum> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map(T::as_str).into()
    }
}
