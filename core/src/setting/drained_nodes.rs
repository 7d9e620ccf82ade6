//! Data planes that an operator takes out of service for a while.

use crate::invalid::Invalid;

const MAX_NODES: usize = 256;
/// As long as a node's id may be.
const MAX_ID: usize = 256;

pub(super) fn validate(nodes: &[String]) -> Result<(), Invalid> {
    if nodes.len() > MAX_NODES {
        return Err(Invalid::new(
            "drained_nodes",
            format!("has more than {MAX_NODES} nodes"),
        ));
    }
    for (i, node) in nodes.iter().enumerate() {
        let field = || format!("drained_nodes[{i}]");
        if node.is_empty() || node.len() > MAX_ID || node.chars().any(char::is_control) {
            return Err(Invalid::new(field(), "is not the id of a data plane"));
        }
        if nodes.iter().take(i).any(|earlier| earlier == node) {
            return Err(Invalid::new(field(), "stands there twice"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_named_once_and_are_ids() {
        let check =
            |nodes: &[&str]| validate(&nodes.iter().map(|node| (*node).to_owned()).collect::<Vec<_>>());
        assert!(check(&["a", "b"]).is_ok() && check(&[]).is_ok());
        assert!(check(&["a", "a"]).is_err() && check(&[""]).is_err());
    }
}
