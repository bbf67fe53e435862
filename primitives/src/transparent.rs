//! Newtypes that hash as what they wrap: the derive macro has no such mode.

/// Implements `TreeHash` for a struct as that of its one field.
macro_rules! transparent_tree_hash {
    ($name:ty, $field:ident) => {
        impl tree_hash::TreeHash for $name {
            fn tree_hash_type() -> tree_hash::TreeHashType {
                tree_hash::TreeHashType::List
            }
            fn tree_hash_packed_encoding(&self) -> tree_hash::PackedEncoding {
                self.$field.tree_hash_packed_encoding()
            }
            fn tree_hash_packing_factor() -> usize {
                1
            }
            fn tree_hash_root(&self) -> tree_hash::Hash256 {
                self.$field.tree_hash_root()
            }
        }
    };
}

pub(crate) use transparent_tree_hash;
