//! Whole-system tests: a house of real processes on virtual wristbands.
#![expect(clippy::print_stdout, reason = "figures for whoever reads the checks")]

mod comes_out;
mod live;
mod trouble;
