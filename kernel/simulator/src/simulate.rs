//! Simulating worlds: a shop is set up once and kept as an image, each world runs on a copy of it.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use mortise_capability::PolicyRow;
use mortise_contract::{Contracts, Value};

use crate::Failure;
use crate::explore::{Watching, Way};
use crate::house::{House, Image};
use crate::platform::Composition;
use crate::script::{Deed, Seed, World, read};
use crate::stage::Stage;
use crate::transcript::{Pen, Transcript};
use crate::{books, raise};

/// The ids of a shop, and those of a world in it.
const SHOP_IDS: u32 = 1;
pub(crate) const WORLD_IDS: u32 = 2;

/// The flows that a world may start, each with the name of its file.
#[derive(Debug, Clone, Default)]
pub struct Flows {
    /// What the world is about: they have to be accepted.
    pub(crate) own: Vec<(String, String)>,
    /// What lies beside them: they have to be accepted where a world comes to them.
    beside: Vec<(String, String)>,
    /// What is there otherwise; one that is refused is not.
    pub(crate) others: Vec<(String, String)>,
}

impl Flows {
    /// These alone.
    pub const fn of(own: Vec<(String, String)>) -> Self {
        Self { own, beside: Vec::new(), others: Vec::new() }
    }

    /// The shipped flows, with those of `file`'s folder in the place of any of the same name.
    ///
    /// # Errors
    /// A folder or a file that cannot be read.
    pub fn beside(file: &Path, shipped: Vec<(String, String)>) -> Result<Self, Failure> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let off = |error: std::io::Error| Failure::script(folder, error.to_string());
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|error| Failure::script(path, error.to_string()))
        };
        let own = vec![(file.display().to_string(), read(file)?)];
        let own_name = name_of(&own[0].1);
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(off)? {
            files.push(entry.map_err(off)?.path());
        }
        files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
        files.sort();
        let mut beside = Vec::new();
        for path in files {
            let text = read(&path)?;
            // Another version of the same flow, as the file itself, is not what lies beside it.
            if name_of(&text).is_some_and(|name| Some(&name) != own_name.as_ref()) {
                beside.push((path.display().to_string(), text));
            }
        }
        let taken: Vec<Option<String>> = own.iter().chain(&beside).map(|(_, text)| name_of(text)).collect();
        let mut others = shipped;
        others.retain(|(_, text)| !taken.contains(&name_of(text)));
        Ok(Self { own, beside, others })
    }

    /// That a world comes to one of those that lie in its folder: a copy of a world may still start the flow that it was written for.
    ///
    /// # Errors
    /// What it starts, and what it might.
    pub fn are_met_by(&self, path: &Path, world: &World) -> Result<(), Failure> {
        let (starts, reached) = (started_by(world), self.reached(started_by(world)));
        let names = |flows: &[(String, String)]| -> Vec<String> {
            flows.iter().filter_map(|(_, text)| name_of(text)).collect()
        };
        let here = [names(&self.own), names(&self.beside)].concat();
        if starts.is_empty() || here.is_empty() || here.iter().any(|name| reached.contains(name)) {
            return Ok(());
        }
        let quoted = |names: Vec<String>| {
            names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        };
        let (starts, own) = (quoted(starts.into_iter().collect()), quoted(names(&self.own)));
        Err(Failure::script(path, format!("it starts {starts}, and never {own}: write which after `start:`")))
    }

    /// Those that a world can come to: its own, what its script starts, and what those start.
    fn of_world(&self, world: &World) -> Self {
        let own = self.own.iter().flat_map(|(_, text)| started(text));
        let wanted = self.reached(own.chain(started_by(world)).collect());
        let is_reached =
            |(_, text): &&(String, String)| name_of(text).is_some_and(|name| wanted.contains(&name));
        Self {
            own: self.own.iter().chain(self.beside.iter().filter(is_reached)).cloned().collect(),
            beside: Vec::new(),
            others: self.others.iter().filter(is_reached).cloned().collect(),
        }
    }

    /// These names, and all that the flows of these names start.
    fn reached(&self, names: BTreeSet<String>) -> BTreeSet<String> {
        let all: Vec<_> = [&self.own, &self.beside, &self.others]
            .into_iter()
            .flatten()
            .filter_map(|(_, text)| Some((name_of(text)?, text)))
            .collect();
        let (mut reached, mut left) = (BTreeSet::new(), Vec::from_iter(names));
        while let Some(name) = left.pop() {
            if reached.insert(name.clone()) {
                left.extend(
                    all.iter().filter(|(known, _)| *known == name).flat_map(|(_, text)| started(text)),
                );
            }
        }
        reached
    }
}

/// The flows that a definition starts.
fn started(text: &str) -> BTreeSet<String> {
    let flow = mortise_flow::parse(text).ok();
    flow.iter().flat_map(|flow| flow.started()).map(ToString::to_string).collect()
}

/// The flows that a world's script starts.
fn started_by(world: &World) -> BTreeSet<String> {
    let started = world.script.iter().filter_map(|entry| match &entry.deed {
        Deed::Start { flow, .. } => Some(flow.clone()),
        _ => None,
    });
    started.collect()
}

/// The name that a definition's head gives it.
pub fn name_of(text: &str) -> Option<String> {
    let head = text.lines().find_map(|line| line.strip_prefix("flow:"))?;
    Some(head.split('#').next().unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned())
}

/// Runs worlds on a composition. Shops are kept, so that many worlds of one shop are quick.
pub struct Simulator<'c> {
    pub(crate) composition: &'c dyn Composition,
    images: Mutex<HashMap<String, Arc<Image>>>,
}

impl std::fmt::Debug for Simulator<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator").finish_non_exhaustive()
    }
}

/// A world that was run.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// What happened.
    pub transcript: Transcript,
}

impl<'c> Simulator<'c> {
    /// Over `composition`.
    pub fn new(composition: &'c dyn Composition) -> Self {
        Self { composition, images: Mutex::default() }
    }

    /// Runs a world to its end, on some of its ways at once, or as it is written. Blocks; must not be called on a thread that drives an async runtime.
    ///
    /// # Errors
    /// A script or a shop that is off, a flow that is refused. What goes wrong in the world is in its transcript.
    pub fn simulate(&self, flows: &Flows, world: &World, ways: &[Way]) -> Result<Simulated, Failure> {
        let play = self.go(&*self.image(flows, world)?, world, ways, Watching::Yes)?;
        let after = play.books()?;
        let engine = play.house.engine();
        let contracts = engine.registry().contracts();
        let answers = |name: &str| {
            let followed = play.watch.trades().map(|(_, followed)| followed).find(|f| *f.name == *name);
            let published =
                followed.and_then(|followed| engine.catalogue().definition(followed.definition()));
            let schema = published.map(|published| published.answer.clone());
            (schema, followed.and_then(|followed| followed.currency.clone()))
        };
        let pen = Pen { opens_at: world.opens_at, contracts, answers: Box::new(answers) };
        let lines = pen.lines(&play.rows);
        let trades = play.watch.trades().map(|(_, followed)| {
            let outcome = match (&followed.outcome, followed.held) {
                (Some(outcome), _) => outcome.replace(':', ": "),
                (None, true) => format!("is held for a person: {}", followed.state.position()),
                (None, false) => format!("is open: {}", followed.state.position()),
            };
            (followed.name.to_string(), outcome)
        });
        let moved = books::moves(&play.before, &after);
        let transcript = Transcript::of((&world.title, &world.about), lines, trades.collect(), &moved);
        Ok(Simulated { transcript })
    }

    /// The world's shop, set up now or before.
    pub(crate) fn image(&self, flows: &Flows, world: &World) -> Result<Arc<Image>, Failure> {
        let events: Vec<&str> = world
            .script
            .iter()
            .filter_map(|entry| match &entry.deed {
                Deed::Event { event, .. } => Some(event.as_str()),
                _ => None,
            })
            .collect();
        let flows = &flows.of_world(world);
        let key = format!("{flows:?} {:?} {:?} {events:?} {}", world.seed, world.scope, world.opens_at);
        let known = self.images.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(image) = known {
            return Ok(image);
        }
        let image = Arc::new(self.set_up(flows, world, &events)?);
        self.images.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&image));
        Ok(image)
    }

    fn set_up(&self, flows: &Flows, world: &World, events: &[&str]) -> Result<Image, Failure> {
        let stage = (Stage::new(false, None), SHOP_IDS);
        let mut house = House::open(self.composition, None, world.opens_at, stage)?;
        house.publish(flows)?;
        for event in events {
            let flow = raise::flow(event, house.engine().registry().contracts());
            let flow =
                flow.ok_or_else(|| Failure::Platform(format!("no capability declares the event `{event}`")))?;
            house.publish(&Flows::of(vec![flow]))?;
        }
        for (folder, seed) in &world.seed {
            sow(&mut house, world, folder, seed)?;
        }
        house.into_image()
    }
}

/// Rows or a policy, as the shop has them before anything happens.
fn sow(house: &mut House, world: &World, folder: &Path, seed: &Seed) -> Result<(), Failure> {
    let line = seed.line.as_deref().unwrap_or(world.scope.line.as_str());
    let scope = mortise_types::Scope::new(world.scope.tenant.as_str(), line, world.scope.channel.as_str())
        .map_err(|error| Failure::Platform(error.to_string()))?;
    match (&seed.import, &seed.policy, &seed.document) {
        (Some(operation), None, None) => {
            let mut rows = seed.rows.clone();
            if let Some(file) = &seed.file {
                rows.extend(read::<Vec<Value>>(&folder.join(file))?);
            }
            let list =
                list_of(operation, house.engine().registry().contracts()).ok_or_else(|| Failure::Seed {
                    operation: operation.clone(),
                    problem: "no operation of this name takes a list of rows".to_owned(),
                })?;
            house.must(&scope, operation, Value::record([(list.as_str(), Value::list(rows))]))
        }
        (None, Some(policy), Some(document)) => {
            let row = PolicyRow {
                tenant: scope.tenant.as_str().to_owned(),
                line: scope.line.as_str().to_owned(),
                channel: String::new(),
                name: policy.clone(),
                document: document.to_json(),
            };
            let off = |problem: String| Failure::Seed { operation: policy.clone(), problem };
            house.engine().registry().accepts_policy(&row).map_err(|error| off(error.to_string()))?;
            let now = house.now();
            let set = mortise_engine::set_policy(house.engine().store(), house.policies(), row, now);
            Ok(house.block_on(set)?)
        }
        _ => Err(Failure::Platform(
            "a seed is either `import` with rows or `policy` with a document".to_owned(),
        )),
    }
}

/// The field of an operation's input that is a list of records.
fn list_of(operation: &str, contracts: &Contracts) -> Option<String> {
    let input = contracts.resolve(&contracts.operations.get(operation)?.input)?;
    let list = input
        .properties
        .iter()
        .find(|(_, field)| contracts.resolve(field).and_then(|list| list.items.as_deref()).is_some());
    list.map(|(name, _)| name.clone())
}
