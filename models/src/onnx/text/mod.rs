//! A tree of layers as a network's text. Modules are nested as their names say, so that a name follows from the place in
//! the text; where it does not, the text says it by `name=`.

mod layer;

use std::collections::HashSet;

use super::names::Place;
use super::tree::Item;
use crate::graph::{Graph, Operation};

/// What a text is written from.
pub(super) struct Source<'a> {
    pub(super) graph: &'a Graph,
    pub(super) places: &'a [Place],
    /// The layer that has as many outputs as there are classes.
    pub(super) classes: Option<usize>,
}

/// The longest line of a sequence that is written in one line.
const LINE: usize = 100;

/// The module of a sequence, for the place after four spaces and `return `.
pub(super) fn module(source: &Source<'_>, items: &[Item]) -> String {
    let mut taken = HashSet::new();
    for place in source.places {
        if let Place::Named(name) = place {
            let above = name
                .match_indices('.')
                .map(|(dot, _)| name[..dot].to_owned());
            taken.extend(above);
            taken.insert(name.clone());
        }
    }
    let mut writer = Writer {
        source,
        taken,
        opened: HashSet::new(),
    };
    let parts: Vec<_> = items.iter().collect();
    let children = writer.children(&parts, "");
    render("Sequential", &children, None, 4)
}

struct Writer<'a> {
    source: &'a Source<'a>,
    /// The names of layers and of the modules around them, and names that were given.
    taken: HashSet<String>,
    /// Modules that are written.
    opened: HashSet<String>,
}

/// A module in another: its key, if it is not its number, and its text. Inner lines begin at column 0.
struct Child {
    key: Option<String>,
    text: String,
}

/// An item, or several that belong to one module.
struct Entry<'a> {
    /// The name that it must have.
    path: Option<String>,
    items: Vec<&'a Item>,
    is_group: bool,
}

impl<'a> Writer<'a> {
    /// The modules of a sequence that is called `path`.
    fn children(&mut self, items: &[&'a Item], path: &str) -> Vec<Child> {
        let entries = self.entries(items, path);
        let key_of = |entry: &Entry<'_>| {
            let key = entry.path.as_deref().and_then(|name| below(name, path));
            key.map(str::to_owned)
        };
        let by_key = entries.iter().all(|entry| {
            entry.path.is_none() || key_of(entry).is_some_and(|key| is_identifier(&key))
        });
        let mut children = Vec::new();
        for (number, entry) in entries.iter().enumerate() {
            let numbered = join(path, &number.to_string());
            let (name, key, is_explicit) = match (&entry.path, by_key) {
                (Some(name), true) => (name.clone(), key_of(entry), false),
                (Some(name), false) => (name.clone(), None, *name != numbered),
                (None, true) => {
                    let name = self.free_name(path, entry.items[0]);
                    let key = below(&name, path).map(str::to_owned);
                    (name, key, false)
                }
                (None, false) if self.taken.insert(numbered.clone()) => (numbered, None, false),
                (None, false) => (self.free_name(path, entry.items[0]), None, true),
            };
            let explicit = is_explicit.then_some(name.as_str());
            let text = match (entry.items[0], entry.is_group) {
                (Item::Layer(node), false) => layer::call(self.source, *node, explicit),
                (Item::Join(node, branches), false) => self.join(*node, branches, &name, explicit),
                (Item::Join(node, branches), true)
                    if entry.items.len() == 1 && self.opened.insert(format!("{name}/")) =>
                {
                    self.join(*node, branches, &name, explicit)
                }
                _ => {
                    let children = self.children(&entry.items, &name);
                    render("Sequential", &children, explicit, 0)
                }
            };
            children.push(Child { key, text });
        }
        children
    }

    /// Groups the items of the module `path` by the modules below it.
    fn entries(&mut self, items: &[&'a Item], path: &str) -> Vec<Entry<'a>> {
        let scopes = self.scopes(items, path);
        let mut entries: Vec<Entry<'a>> = Vec::new();
        let mut group: Option<String> = None;
        for (item, scope) in items.iter().zip(scopes) {
            if let Some(component) = first_below(&scope, path) {
                let name = join(path, component);
                if group.as_ref() == Some(&name)
                    && let Some(entry) = entries.last_mut()
                {
                    entry.items.push(item);
                    continue;
                }
                group = Some(name.clone());
                // A module in two places: only the first can have its name by its key.
                entries.push(Entry {
                    path: Some(name),
                    items: vec![item],
                    is_group: true,
                });
                continue;
            }
            group = None;
            let name = match item {
                Item::Layer(node) => match &self.source.places[*node] {
                    Place::Named(name) => Some(name.clone()),
                    _ => None,
                },
                Item::Join(..) => None,
            };
            entries.push(Entry {
                path: name,
                items: vec![item],
                is_group: false,
            });
        }
        // Keys are there once: a module that comes again is numbered, and named by its layers.
        let mut seen = HashSet::new();
        let comes_again = entries.iter().any(|entry| {
            entry
                .path
                .as_ref()
                .is_some_and(|path| !seen.insert(path.clone()))
        });
        if comes_again {
            let mut seen = HashSet::new();
            return entries
                .into_iter()
                .flat_map(|entry| {
                    let again = entry
                        .path
                        .as_ref()
                        .is_some_and(|path| !seen.insert(path.clone()));
                    if !again {
                        return vec![entry];
                    }
                    let named = |item: &'a Item| Entry {
                        path: match item {
                            Item::Layer(node) => match &self.source.places[*node] {
                                Place::Named(name) => Some(name.clone()),
                                _ => None,
                            },
                            Item::Join(..) => None,
                        },
                        items: vec![item],
                        is_group: false,
                    };
                    entry.items.into_iter().map(named).collect()
                })
                .collect();
        }
        entries
    }

    /// The module that each item is in: `path`, or one below it. Items of which nothing is known are where their neighbours
    /// both are.
    fn scopes(&self, items: &[&'a Item], path: &str) -> Vec<String> {
        let known: Vec<_> = items.iter().map(|item| self.scope(item)).collect();
        let mut before: Vec<Option<&str>> = Vec::new();
        let mut last = None;
        for scope in &known {
            last = scope.as_deref().or(last);
            before.push(last);
        }
        let mut after = None;
        let mut scopes: Vec<_> = (0..items.len())
            .rev()
            .map(|at| {
                after = known[at].as_deref().or(after);
                let scope = match (&known[at], before[at], after) {
                    (Some(scope), ..) => scope.clone(),
                    (None, Some(before), Some(after)) => common(before, after),
                    (None, one, other) => one.or(other).unwrap_or(path).to_owned(),
                };
                if is_within(&scope, path) {
                    scope
                } else {
                    path.to_owned()
                }
            })
            .collect();
        scopes.reverse();
        scopes
    }

    /// The module that an item is in, as its name or those of the layers in it say.
    fn scope(&self, item: &Item) -> Option<String> {
        match item {
            Item::Layer(node) => match &self.source.places[*node] {
                Place::Named(name) => Some(parent(name).to_owned()),
                Place::Within(path) => Some(path.clone()),
                Place::Unknown => None,
            },
            Item::Join(_, branches) => self.scope_of(branches.iter().flatten()),
        }
    }

    fn scope_of<'b>(&self, items: impl Iterator<Item = &'b Item>) -> Option<String> {
        items
            .filter_map(|item| match item {
                Item::Layer(node) => match &self.source.places[*node] {
                    Place::Named(name) => Some(parent(name).to_owned()),
                    _ => None,
                },
                Item::Join(..) => self.scope(item),
            })
            .reduce(|a, b| common(&a, &b))
    }

    /// A join that is called `path`.
    fn join(
        &mut self,
        node: usize,
        branches: &'a [Vec<Item>],
        path: &str,
        explicit: Option<&str>,
    ) -> String {
        let keys: Vec<_> = branches
            .iter()
            .map(|items| self.branch_key(items, path))
            .collect();
        let mut seen = HashSet::new();
        let by_key = keys.iter().any(|key| key.as_deref() != Some("identity"))
            && keys.iter().all(|key| {
                key.as_ref()
                    .is_some_and(|key| is_identifier(key) && seen.insert(key.clone()))
            });
        let mut children = Vec::new();
        for (number, (items, key)) in branches.iter().zip(keys).enumerate() {
            let key = key.filter(|_| by_key);
            let name = join(path, key.as_deref().unwrap_or(&number.to_string()));
            let text = self.branch(items, &name);
            children.push(Child { key, text });
        }
        render(
            self.source.graph.nodes[node].operation.name(),
            &children,
            explicit,
            0,
        )
    }

    /// The key of a branch, where its layers are all in one module below the join.
    fn branch_key(&self, items: &[Item], path: &str) -> Option<String> {
        match items {
            [] => Some("identity".to_owned()),
            [Item::Layer(node)] => match &self.source.places[*node] {
                Place::Named(name) => below(name, path).map(str::to_owned),
                _ => None,
            },
            _ => {
                let scope = self.scope_of(items.iter())?;
                first_below(&scope, path).map(str::to_owned)
            }
        }
    }

    /// A branch whose place gives it the name `path`.
    fn branch(&mut self, items: &'a [Item], path: &str) -> String {
        match items {
            [] => "Identity()".to_owned(),
            [item] => {
                let name = match item {
                    Item::Layer(node) => match &self.source.places[*node] {
                        Place::Named(name) => Some(name.clone()),
                        _ => None,
                    },
                    Item::Join(..) => None,
                };
                let name = name.unwrap_or_else(|| {
                    if self.taken.insert(path.to_owned()) {
                        path.to_owned()
                    } else {
                        self.free_name(parent(path), item)
                    }
                });
                let explicit = (name != path).then_some(name.as_str());
                match item {
                    Item::Layer(node) => layer::call(self.source, *node, explicit),
                    Item::Join(node, branches) => self.join(*node, branches, &name, explicit),
                }
            }
            _ => {
                let scope = self
                    .scope_of(items.iter())
                    .unwrap_or_else(|| path.to_owned());
                let is_here = is_within(&scope, path);
                let name = if is_here { path } else { &scope };
                let parts: Vec<_> = items.iter().collect();
                let children = self.children(&parts, name);
                render("Sequential", &children, (!is_here).then_some(name), 0)
            }
        }
    }

    /// A name in the module `path` that no other has.
    fn free_name(&mut self, path: &str, item: &Item) -> String {
        let word = match item {
            Item::Layer(node) | Item::Join(node, _) => {
                word(&self.source.graph.nodes[*node].operation)
            }
        };
        let mut name = join(path, word);
        let mut number = 1;
        while !self.taken.insert(name.clone()) {
            name = join(path, &format!("{word}{number}"));
            number += 1;
        }
        name
    }
}

/// What a module of an operation is called.
fn word(operation: &Operation) -> &'static str {
    match operation {
        Operation::Activation { .. } | Operation::Hardtanh { .. } => "act",
        Operation::MaxPool2d { .. } => "maxpool",
        Operation::AvgPool2d { .. } | Operation::AdaptiveAvgPool2d { .. } => "avgpool",
        Operation::Mean => "mean",
        Operation::Dropout { .. } => "dropout",
        Operation::Flatten => "flatten",
        Operation::Sum => "add",
        Operation::Mul => "mul",
        Operation::Concat => "cat",
        _ => "layer",
    }
}

/// The call of a class with modules in it.
fn render(class: &str, children: &[Child], name: Option<&str>, indent: usize) -> String {
    let mut parts: Vec<_> = children
        .iter()
        .map(|child| match &child.key {
            Some(key) => format!("{key}={}", child.text),
            None => child.text.clone(),
        })
        .collect();
    parts.extend(name.map(|name| format!("name=\"{name}\"")));
    let len: usize = parts.iter().map(|part| part.len() + 2).sum();
    if len + class.len() <= LINE && !parts.iter().any(|part| part.contains('\n')) {
        return format!("{class}({})", parts.join(", "));
    }
    let (outer, inner) = (" ".repeat(indent), " ".repeat(indent + 4));
    let mut text = format!("{class}(\n");
    for part in parts {
        for line in part.lines() {
            text += &inner;
            text += line;
            text.push('\n');
        }
        text.insert(text.len() - 1, ',');
    }
    text + &outer + ")"
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn parent(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(parent, _)| parent)
}

/// What follows a path in a name that is directly below it.
fn below<'n>(name: &'n str, path: &str) -> Option<&'n str> {
    (parent(name) == path).then(|| name.rsplit('.').next().unwrap_or(name))
}

/// The first component of a name below a path.
fn first_below<'n>(name: &'n str, path: &str) -> Option<&'n str> {
    let rest = if path.is_empty() {
        name
    } else {
        name.strip_prefix(path)?.strip_prefix('.')?
    };
    rest.split('.').next().filter(|first| !first.is_empty())
}

/// Whether a name is a path or below it.
fn is_within(name: &str, path: &str) -> bool {
    name == path || path.is_empty() || first_below(name, path).is_some()
}

/// The module that two are in.
fn common(a: &str, b: &str) -> String {
    let same = a.split('.').zip(b.split('.')).take_while(|(a, b)| a == b);
    same.map(|(a, _)| a).collect::<Vec<_>>().join(".")
}

/// Whether a key can be an argument's name.
fn is_identifier(key: &str) -> bool {
    const RESERVED: [&str; 36] = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class",
        "continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global",
        "if", "import", "in", "is", "lambda", "name", "nonlocal", "not", "or", "pass", "raise",
        "return", "try", "while", "with", "yield",
    ];
    !key.starts_with(|c: char| c.is_ascii_digit()) && !RESERVED.contains(&key)
}
