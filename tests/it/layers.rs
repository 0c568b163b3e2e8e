//! Who may know whom: the table of the design, read off the `use` lines.
