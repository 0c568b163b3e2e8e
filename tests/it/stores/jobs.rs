//! Every store function of jobs, on both databases.
