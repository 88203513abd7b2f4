//! A Merkle tree that only grows (RFC 9162 §2.1): leaves come in, a root leaves that stands for all of them in their
//! order, with proofs that a leaf is in it and that an older tree is its beginning.

use super::hex::Hex;
use sha2::{Digest, Sha256};

/// A SHA-256.
pub type Hash = Hex<32>;

/// What a leaf's bytes hash to: told from an inner node by its first byte, so that neither passes for the other.
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    Hex(Sha256::new().chain_update([0]).chain_update(bytes).finalize().into())
}

/// What a file's bytes hash to.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    Hex(Sha256::digest(bytes).into())
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hex(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// The tree: the hash of each complete subtree, so that a proof costs the logarithm of the size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// `levels[k][i]` stands for the leaves from `i << k` to `(i + 1) << k`.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// How many leaves.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// None?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// One leaf more.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let row = &mut self.levels[level];
            row.push(hash);
            match row.as_slice() {
                [.., left, right] if row.len().is_multiple_of(2) => hash = node_hash(left, right),
                _ => return,
            }
        }
    }

    /// The leaf at `index`.
    #[must_use]
    pub fn leaf(&self, index: u64) -> Option<Hash> {
        self.levels.first()?.get(usize::try_from(index).ok()?).copied()
    }

    /// Stands for all leaves in their order.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.root_of(self.len()).unwrap_or_else(empty_root)
    }

    /// The root when there were `size` leaves; none if there never were so many.
    #[must_use]
    pub fn root_of(&self, size: u64) -> Option<Hash> {
        match size {
            0 => Some(empty_root()),
            _ => (size <= self.len()).then(|| self.subtree(0, size)),
        }
    }

    /// What leads from the leaf at `index` to the root of `size` leaves (§2.1.3.1).
    #[must_use]
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        if index >= size || size > self.len() {
            return None;
        }
        let (mut from, mut to, mut path) = (0, size, Vec::new());
        while to - from > 1 {
            let middle = from + split(to - from);
            if index < middle {
                path.push(self.subtree(middle, to));
                to = middle;
            } else {
                path.push(self.subtree(from, middle));
                from = middle;
            }
        }
        path.reverse();
        Some(path)
    }

    /// What shows that the first `old` leaves are the beginning of the first `new` (§2.1.4.1).
    #[must_use]
    pub fn consistency(&self, old: u64, new: u64) -> Option<Vec<Hash>> {
        if old > new || new > self.len() {
            return None;
        }
        if old == 0 || old == new {
            return Some(Vec::new());
        }
        let (mut from, mut to, mut path) = (0, new, Vec::new());
        while to != old {
            let middle = from + split(to - from);
            if old <= middle {
                path.push(self.subtree(middle, to));
                to = middle;
            } else {
                path.push(self.subtree(from, middle));
                from = middle;
            }
        }
        // The old tree's own root is known to whoever asks, if it is one subtree.
        if from > 0 {
            path.push(self.subtree(from, to));
        }
        path.reverse();
        Some(path)
    }

    /// The hash of the leaves `from..to`, where `from` is a multiple of the power of two that holds them.
    fn subtree(&self, from: u64, to: u64) -> Hash {
        let count = to - from;
        if count.is_power_of_two() {
            let level = count.trailing_zeros() as usize;
            return self.levels[level][(from >> level) as usize];
        }
        let middle = from + split(count);
        node_hash(&self.subtree(from, middle), &self.subtree(middle, to))
    }
}

/// The root of nothing.
fn empty_root() -> Hash {
    Hex(Sha256::digest([]).into())
}

/// The largest power of two below `count`, for a count above 1.
fn split(count: u64) -> u64 {
    count.next_power_of_two() / 2
}

/// Does `path` lead from this leaf to this root (§2.1.3.2)?
#[must_use]
pub fn includes(leaf: Hash, index: u64, size: u64, path: &[Hash], root: Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for step in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(step, &hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, step);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && hash == root
}

/// Does `path` show that the tree of `old` leaves is the beginning of the one of `new` (§2.1.4.2)?
#[must_use]
pub fn extends(old: u64, old_root: Hash, new: u64, new_root: Hash, path: &[Hash]) -> bool {
    if old == 0 || old >= new {
        let same = old == new && old_root == new_root;
        return path.is_empty() && (same || (old == 0 && old_root == empty_root()));
    }
    let itself = old.is_power_of_two().then_some(old_root);
    let mut path = itself.into_iter().chain(path.iter().copied());
    let Some(seed) = path.next() else { return false };
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        (node, last) = (node >> 1, last >> 1);
    }
    let (mut before, mut after) = (seed, seed);
    for step in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            before = node_hash(&step, &before);
            after = node_hash(&step, &after);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            after = node_hash(&after, &step);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && before == old_root && after == new_root
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree as RFC 9162 §2.1.1 defines it.
    fn defined(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let middle = (1..leaves.len()).rev().find(|at| at.is_power_of_two()).unwrap();
                node_hash(&defined(&leaves[..middle]), &defined(&leaves[middle..]))
            }
        }
    }

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|at| leaf_hash(&at.to_be_bytes())).collect()
    }

    fn tree(count: u64) -> Tree {
        let mut tree = Tree::default();
        leaves(count).into_iter().for_each(|leaf| tree.push(leaf));
        tree
    }

    /// Inputs and roots that the implementations of Certificate Transparency share.
    #[test]
    fn the_roots_are_those_of_certificate_transparency() {
        let inputs: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Tree::default();
        assert!(tree.root().to_string().starts_with("e3b0c44298fc1c14"), "the hash of nothing");
        for (input, root) in inputs.into_iter().zip(roots) {
            tree.push(leaf_hash(input));
            assert_eq!(tree.root().to_string(), root);
        }
    }

    #[test]
    fn every_root_is_as_defined() {
        let (leaves, tree) = (leaves(70), tree(70));
        for size in 0..=70 {
            assert_eq!(tree.root_of(size), Some(defined(&leaves[..size as usize])), "{size}");
        }
        assert_eq!(tree.root_of(71), None);
    }

    #[test]
    fn every_leaf_is_shown_to_be_where_it_is_and_nowhere_else() {
        let (leaves, tree) = (leaves(35), tree(35));
        for size in 1..=35 {
            let root = tree.root_of(size).unwrap();
            for index in 0..size {
                let path = tree.inclusion(index, size).unwrap();
                for (at, leaf) in leaves.iter().enumerate() {
                    let there = at as u64 == index;
                    assert_eq!(includes(*leaf, index, size, &path, root), there, "{at} {index} {size}");
                    if at as u64 != index {
                        assert!(!includes(leaves[index as usize], at as u64, size, &path, root));
                    }
                }
            }
        }
    }

    #[test]
    fn every_older_tree_is_shown_to_be_the_beginning() {
        let tree = tree(35);
        for new in 0..=35 {
            for old in 0..=new {
                let (before, after) = (tree.root_of(old).unwrap(), tree.root_of(new).unwrap());
                let path = tree.consistency(old, new).unwrap();
                assert!(extends(old, before, new, after, &path), "{old} {new}");
                let other = leaf_hash(b"another");
                assert!(!extends(old, other, new, after, &path), "{old} {new}");
                assert!(old == 0 || !extends(old, before, new, other, &path), "{old} {new}");
                for at in 0..path.len() {
                    let mut bent = path.clone();
                    bent[at] = other;
                    assert!(!extends(old, before, new, after, &bent), "{old} {new} {at}");
                    assert!(!extends(old, before, new, after, &path[..at]), "{old} {new} {at}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_there_has_no_proof() {
        let tree = tree(3);
        assert_eq!((tree.inclusion(3, 3), tree.inclusion(0, 4), tree.consistency(2, 4)), (None, None, None));
        assert!(!includes(leaf_hash(b""), 0, 0, &[], tree.root()));
    }
}
