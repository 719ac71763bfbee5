//! The language of the house: ids, errors, settings, units, the context of a call, what a document means, and the
//! one place ([`mod@env`]) where sockets, files, time and randomness are reached.
//!
//! Nothing enters this floor unless two floors above use it.
#![warn(missing_docs)]

pub mod blocking;
pub mod checked_file;
pub mod config;
pub mod context;
pub mod env;
pub mod error;
pub mod ids;
pub mod json;
pub mod mapping;
pub mod pattern;
pub mod settings;
pub mod sync_queue;
pub mod tasks;
pub mod units;

pub use config::Config;
pub use context::{Action, Context, Subject};
pub use error::{Error, Result};
pub use ids::{AllocationId, HistoryId, IndexUuid, NodeId, PrimaryTerm, SeqNo, SessionId, ShardId};
pub use settings::{Setting, SettingScope, Settings};
pub use tasks::Tasks;
