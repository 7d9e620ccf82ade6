//! The domain of Penstock, without I/O.
//!
//! What a key, a provider, a price and a call are; who may do what; what a call costs; which provider serves it;
//! and how one state of the configuration turns into the next. Both planes and the CLI build on it.
//!
//! Rules: no clock and no randomness (both are arguments), no async, no network, no database. Money is integer.
//! Values are plain data checked by `validate`; a control plane validates what operators write, a data plane
//! validates again what it receives, since the two may be of different releases.
//!
//! | module | what |
//! |---|---|
//! | [`id`], [`money`], [`time`], [`secret`] | small vocabulary types |
//! | [`resource`] | the unit of configuration: [`provider`], [`user`], [`key`], [`price`], [`setting`] |
//! | [`snapshot`] | all resources, indexed for the request path; applying updates |
//! | [`credential`] | what a provider is called with |
//! | [`access`], [`client`], [`cidr`] | may this key make this call, with what and from where |
//! | [`route`] | which provider serves it |
//! | [`limits`] | how much a user, a key, a provider may use |
//! | [`guard`] | who guesses keys |
//! | [`health`] | which providers are well |
//! | [`session`] | which conversation it belongs to |
//! | [`usage`], [`cost`] | what it used and what that costs |
//! | [`failure`], [`error_rule`] | what a failed attempt at a provider means |
//! | [`failed_call`] | the record of a failed call |
//! | [`word_rule`], [`request_filter`] | what a request must not contain, and what is changed in it |
//! | [`alert`] | when operators are told of trouble |
//! | [`operator`] | who may operate, and their roles |
//! | [`backup`] | the form in which an installation is written to a file |
//! | [`error`] | every error a caller can get, in every dialect's terms |
//! | [`explain`] | what an error means, and what to do about it |

pub mod access;
pub mod alert;
pub mod api_key;
pub mod backoff;
pub mod backup;
pub mod cidr;
pub mod client;
pub mod cost;
pub mod credential;
pub mod dialect;
pub mod error;
pub mod error_rule;
pub mod explain;
pub mod failed_call;
pub mod failure;
pub mod guard;
pub mod health;
pub mod id;
pub mod invalid;
pub mod key;
pub mod limits;
pub mod model;
pub mod money;
pub mod name;
pub mod operator;
pub mod price;
pub mod provider;
pub mod request_filter;
pub mod resource;
pub mod route;
pub mod secret;
pub mod session;
pub mod setting;
pub mod snapshot;
pub mod time;
pub mod usage;
pub mod user;
pub mod word_rule;
