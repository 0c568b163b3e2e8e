//! Registering, signing in and out, tokens, profiles.

mod admins;
mod ensure;
mod input;
mod profile;
mod sign_in;
mod staff;
mod sweep;
mod throttle;
mod tokens;

pub use admins::{create_admin, ensure_admin};
pub use ensure::ensure_customers;
pub use input::{MAX_PASSWORD, MIN_PASSWORD, Register, SignIn, UpdateProfile};
pub use profile::{current_user, me, update_profile};
pub use sign_in::{WRONG_CREDENTIALS, register, sign_in};
pub use staff::{NewStaff, StaffInput, add_staff, list_staff, staff_member, update_staff};
pub use sweep::SWEEP;
pub use throttle::count_writing;
pub use tokens::{authenticate, issue_tokens, refresh, revoke};
