//! The pricing kernel: rules that hold for any cart.
