//! Tests of the whole top floor, and of the order in the house.

mod door;
mod tidy;
