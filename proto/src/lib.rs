//! Generated messages and services; the `.proto` files beside it are the documentation.

pub mod history {
    tonic::include_proto!("tandem.history");
}
