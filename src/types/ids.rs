//! Ids of rows: one type each, so that a product's id is never passed for a variant's.

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

id! {
    /// A person with an account.
    UserId,
    /// A postal address in somebody's book.
    AddressId,
    /// A node of the category tree.
    CategoryId,
    /// A product.
    ProductId,
    /// A variant: what is bought, priced and stocked.
    VariantId,
    /// A picture of a product.
    ImageId,
    /// A review.
    ReviewId,
    /// A place that holds stock.
    LocationId,
    /// A tax rate.
    TaxRateId,
    /// A shipping zone.
    ShippingZoneId,
    /// A shipping method.
    ShippingMethodId,
    /// A promotion.
    PromotionId,
    /// A code of a promotion.
    PromotionCodeId,
    /// A cart; guests know it by its token, never by this number.
    CartId,
    /// A line of a cart.
    CartItemId,
    /// An order; shoppers know it by its public number.
    OrderId,
    /// A line of an order.
    OrderLineId,
    /// A part of an order that was sent.
    FulfilmentId,
    /// An invoice or a credit note.
    InvoiceId,
    /// What somebody sends back of an order.
    ReturnId,
    /// A view of the list of orders.
    OrderViewId,
    /// A payment of an order.
    PaymentId,
    /// Something that was asked of a payment's gateway.
    OperationId,
    /// An event that a gateway sent.
    PaymentEventId,
    /// Money of an order that goes back.
    RefundId,
    /// A gift card, or somebody's store credit.
    CreditAccountId,
    /// An entry of such an account's ledger.
    CreditEntryId,
    /// A batch of products from a file.
    ImportId,
    /// A product of such a batch.
    ImportProductId,
    /// A picture that such a batch fetches.
    ImportPictureId,
}
