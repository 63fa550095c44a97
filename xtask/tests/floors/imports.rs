//! Which files of a crate need which, as far as paths show it, and the shortest way from a file back to itself.
//!
//! A path counts for the file that defines what it names: what is handed on by `pub use` is followed. What tests need
//! does not count.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use syn::buffer::{Cursor, TokenBuffer};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, MetaList, UseTree, Visibility};

/// The words of a path, or of a module's place in its crate.
type Words = Vec<String>;

/// What a module says.
#[derive(Default)]
struct Module {
    file: String,
    /// What is defined here.
    defined: BTreeSet<String>,
    /// What names stand for that are imported here, or handed on.
    imported: BTreeMap<String, Words>,
    /// Modules of which everything is.
    globs: Vec<Words>,
    /// The paths that it needs, as they are written.
    needed: BTreeSet<Words>,
}

/// A crate's modules by their places.
#[derive(Default)]
pub(crate) struct Crate(BTreeMap<Words, Module>);

/// For each part of a crate those that it needs, and a path that says so.
type Needs<'a> = BTreeMap<&'a str, BTreeMap<&'a str, String>>;

impl Crate {
    /// Reads the file of that name below the crate's `src`.
    pub(crate) fn add(&mut self, file: &str, text: &str) {
        let mut at: Words = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        at.pop_if(|last| matches!(last.as_str(), "lib" | "main" | "mod"));
        let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        Reader { modules: self, file, at }.visit_file(&parsed);
    }

    /// The shortest way from a part of the crate back to itself, a step a line. `part` says of which a file is; the files of
    /// none need nothing.
    pub(crate) fn circle<'a>(&'a self, part: impl Fn(&'a str) -> Option<&'a str>) -> Option<Vec<String>> {
        let mut needs = Needs::new();
        for (at, module) in &self.0 {
            let Some(from) = part(&module.file) else { continue };
            for path in &module.needed {
                let absolute = self.absolute(at, path);
                let needed = absolute.and_then(|path| self.defining(&path, &mut BTreeSet::new()));
                if let Some(to) = needed.and_then(|needed| part(&needed.file)).filter(|to| *to != from) {
                    needs.entry(from).or_default().insert(to, path.join("::"));
                }
            }
        }
        needs.keys().filter_map(|from| way_back(&needs, from)).min_by_key(Vec::len)
    }

    /// A path of the module `at`, from the crate's root; none where it leads to another crate.
    fn absolute(&self, at: &[String], path: &[String]) -> Option<Words> {
        let (first, rest) = path.split_first()?;
        let inside = [at, &path[..1]].concat();
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([at, rest].concat()),
            "super" if rest.first().is_some_and(|next| next == "super") => {
                self.absolute(at.split_last()?.1, rest)
            }
            "super" => Some([at.split_last()?.1, rest].concat()),
            _ if self.0.contains_key(&inside) => Some([&inside, rest].concat()),
            name => {
                let import = self.0.get(at)?.imported.get(name).filter(|import| import[0] != name)?;
                Some([&self.absolute(at, import)?, rest].concat())
            }
        }
    }

    /// The module that defines what is at `path`. Names that are handed on in a circle are `seen` once.
    fn defining(&self, path: &[String], seen: &mut BTreeSet<Words>) -> Option<&Module> {
        let depth = (0..=path.len()).rev().find(|depth| self.0.contains_key(&path[..*depth]))?;
        let (at, rest) = path.split_at(depth);
        let module = &self.0[at];
        let Some(name) = rest.first().filter(|name| !module.defined.contains(*name)) else {
            return Some(module);
        };
        if !seen.insert(path.to_vec()) {
            return None;
        }
        if let Some(import) = module.imported.get(name) {
            let import = self.absolute(at, import).map(|import| [&import, &rest[1..]].concat());
            return import.and_then(|import| self.defining(&import, seen)).or(Some(module));
        }
        let of_glob = |glob: &Words| self.defining(&[&self.absolute(at, glob)?, rest].concat(), seen);
        let mut globs = module.globs.iter().filter_map(of_glob);
        globs.find(|found| found.defined.contains(name)).or(Some(module))
    }
}

/// The shortest way from `start` to itself.
fn way_back(needs: &Needs<'_>, start: &str) -> Option<Vec<String>> {
    let (mut seen, mut waiting) = (BTreeSet::new(), VecDeque::from([(start, Vec::new())]));
    while let Some((at, steps)) = waiting.pop_front() {
        for (next, path) in needs.get(at).into_iter().flatten() {
            let steps = [&steps[..], &[(at, next, path)]].concat();
            if *next == start {
                return Some(
                    steps.iter().map(|(at, next, path)| format!("{at} -> {next} by {path}")).collect(),
                );
            }
            if seen.insert(next) {
                waiting.push_back((next, steps));
            }
        }
    }
    None
}

/// Reads one file into its module, and into those that stand within it.
struct Reader<'a> {
    modules: &'a mut Crate,
    file: &'a str,
    at: Words,
}

impl Reader<'_> {
    fn module(&mut self) -> &mut Module {
        let module = self.modules.0.entry(self.at.clone()).or_default();
        self.file.clone_into(&mut module.file);
        module
    }

    /// A small name alone may be a variable's; whatever else is meant by it was imported, which counts by itself.
    fn needs(&mut self, path: Words) {
        if path.len() > 1 || path.first().is_some_and(|name| name.starts_with(char::is_uppercase)) {
            self.module().needed.insert(path);
        }
    }

    fn import(&mut self, tree: &UseTree, mut path: Words, is_handed_on: bool) {
        let name = match tree {
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(tree, path.clone(), is_handed_on));
            }
            UseTree::Path(tree) => {
                path.push(tree.ident.to_string());
                return self.import(&tree.tree, path, is_handed_on);
            }
            UseTree::Glob(_) => {
                self.module().globs.push(path.clone());
                None
            }
            UseTree::Name(tree) => Some((&tree.ident, &tree.ident)),
            UseTree::Rename(tree) => Some((&tree.ident, &tree.rename)),
        };
        if let Some((last, name)) = name {
            let parent = path.last().cloned();
            path.extend((*last != "self").then(|| last.to_string()));
            let name = parent.filter(|_| *name == "self").unwrap_or_else(|| name.to_string());
            self.module().imported.insert(name, path.clone());
        }
        if !is_handed_on {
            self.module().needed.insert(path);
        }
    }

    /// The paths in what has no syntax of its own: in macros and attributes.
    fn scan(&mut self, mut at: Cursor<'_>) {
        let mut path = Words::new();
        while let Some((_, next)) = at.token_tree() {
            if let Some((word, rest)) = at.ident() {
                path.push(word.to_string());
                if let Some(rest) = behind_colons(rest) {
                    at = rest;
                    continue;
                }
            }
            self.needs(std::mem::take(&mut path));
            at.any_group().into_iter().for_each(|(inside, ..)| self.scan(inside));
            at = next;
        }
    }
}

fn behind_colons(at: Cursor<'_>) -> Option<Cursor<'_>> {
    let (one, at) = at.punct()?;
    let (other, at) = at.punct()?;
    (one.as_char() == ':' && other.as_char() == ':').then_some(at)
}

fn is_of_tests(attributes: &[Attribute]) -> bool {
    let is_test = |list: &MetaList| list.path.is_ident("cfg") && list.tokens.to_string() == "test";
    attributes.iter().any(|attribute| attribute.meta.require_list().is_ok_and(is_test))
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = match item {
            Item::Const(item) => (&item.attrs, Some(&item.ident)),
            Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
            Item::Impl(item) => (&item.attrs, None),
            Item::Mod(item) => (&item.attrs, None),
            Item::Static(item) => (&item.attrs, Some(&item.ident)),
            Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            Item::Type(item) => (&item.attrs, Some(&item.ident)),
            Item::Use(item) => (&item.attrs, None),
            _ => return visit::visit_item(self, item),
        };
        if !is_of_tests(attributes) {
            self.module().defined.extend(name.map(ToString::to_string));
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_some() {
            self.at.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.at.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(&item.tree, Words::new(), !matches!(item.vis, Visibility::Inherited));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.needs(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.scan(TokenBuffer::new2(call.tokens.clone()).begin());
        visit::visit_macro(self, call);
    }

    fn visit_meta_list(&mut self, list: &'ast MetaList) {
        self.scan(TokenBuffer::new2(list.tokens.clone()).begin());
    }

    /// Whom something is shown to it does not need.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}
