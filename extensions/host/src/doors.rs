//! The doors of the points that this host answers: all of `every_point!`. What is a point's own stands in its folder;
//! behind its door every point is handled alike, by the functions that `Door` holds.

use std::any::Any;
use std::sync::Arc;

use mortise_bindings::{Ranked, ScopeTable};
use mortise_points::{CallIdentity, Failure, PointMoney};
use wasmtime::component::InstancePre;

use crate::call::{Ask, Called, Fit, Prepare, call, trial};
use crate::cases::{Case, CaseError};
use crate::extension::Extension;
use crate::host::{Panels, Roster, panel};
use crate::limits::Granted;
use crate::measure::{Bare, Measured, measure};
use crate::runtime::Runtime;
use crate::state::CallState;
use crate::watch::Stopwatch;

macro_rules! doors {
    ($($module:ident: $point:ident in $folder:literal;)+) => {
        #[path = "../../points"]
        mod points {
            $(#[path = $folder] mod $module { mod host; })+
        }
        /// Every point of this host.
        pub(crate) const DOORS: &[Door] = &[$(Door::to::<mortise_points::$point>()),+];
    };
}

mortise_points::every_point!(doors);

/// A point, as the rest of the host handles it.
pub(crate) struct Door {
    pub(crate) name: &'static str,
    /// The versions of its world that an extension may be built for, the newest first.
    pub(crate) versions: fn() -> Vec<&'static str>,
    /// The linked component as the point's world of a version that the door has, tried out.
    pub(crate) prepare: fn(&Runtime, Granted, &str, InstancePre<CallState>) -> Result<World, Unfit>,
    /// Who is asked, for each entry of a table of bindings.
    pub(crate) panels: fn(&ScopeTable<Ranked>, &mut Roster<'_>) -> Panels,
    /// What the point comes to when nobody answers.
    pub(crate) unanswered: fn(&dyn Any) -> Box<dyn Any + Send>,
    /// What an outcome comes to in money.
    pub(crate) money: fn(&dyn Any, &dyn Any) -> Option<PointMoney>,
    /// For whom it is asked.
    pub(crate) customer: fn(&dyn Any) -> Option<String>,
    /// Calls of a case, through the host and bare, in turns.
    pub(crate) measure: Measure,
    /// A question and its answer as JSON.
    pub(crate) try_case:
        fn(&Runtime, &Extension, &str, &serde_json::Value) -> Result<Tried, serde_json::Error>,
}

/// How the calls of a case are measured.
type Measure = fn(&Runtime, &Extension, &Bare, &Case, usize) -> Result<Measured, CaseError>;

/// A point's world, of a type that only its door knows.
pub(crate) type World = Arc<dyn Any + Send + Sync>;

/// Why a component is not a point's.
#[derive(Debug)]
pub(crate) enum Unfit {
    /// What it exports is not what the world says.
    World(String),
    /// It does not start.
    Start(Failure),
}

/// What trying a case gave.
pub(crate) struct Tried {
    pub(crate) result: Result<serde_json::Value, Failure>,
    pub(crate) fuel_used: u64,
    pub(crate) took_us: u64,
    pub(crate) log: Option<String>,
}

impl Door {
    const fn to<P: Fit>() -> Door {
        Door {
            name: P::NAME,
            versions: versions::<P>,
            prepare: prepare::<P>,
            panels: panels::<P>,
            unanswered: unanswered::<P>,
            money: money::<P>,
            customer: customer::<P>,
            measure: measure::<P>,
            try_case: try_case::<P>,
        }
    }

    pub(crate) fn named(name: &str) -> Option<&'static Door> {
        DOORS.iter().find(|door| door.name == name)
    }
}

fn versions<P: Fit>() -> Vec<&'static str> {
    std::iter::once(P::VERSION).chain(P::FORMER.iter().map(|former| former.version)).collect()
}

/// The linked component as the point's world of a version that the point has.
pub(crate) fn prepared<P: Fit>(version: &str, linked: InstancePre<CallState>) -> wasmtime::Result<P::World> {
    let former = P::FORMER.iter().find(|former| former.version == version);
    former.map_or(P::prepare as Prepare<P::World>, |former| former.prepare)(linked)
}

fn prepare<P: Fit>(
    runtime: &Runtime,
    granted: Granted,
    version: &str,
    linked: InstancePre<CallState>,
) -> Result<World, Unfit> {
    let world = prepared::<P>(version, linked).map_err(|error| Unfit::World(format!("{error:#}")))?;
    trial::<P>(runtime, &world, granted).map_err(Unfit::Start)?;
    Ok(Arc::new(world))
}

fn panels<P: Fit>(table: &ScopeTable<Ranked>, roster: &mut Roster<'_>) -> Panels {
    table.map(|ranked| panel::<P>(ranked, roster))
}

fn unanswered<P: Fit>(question: &dyn Any) -> Box<dyn Any + Send> {
    Box::new(P::reduce(own(question), Vec::new()))
}

fn money<P: Fit>(question: &dyn Any, reduced: &dyn Any) -> Option<PointMoney> {
    P::money(own(question), own(reduced))
}

fn customer<P: Fit>(question: &dyn Any) -> Option<String> {
    P::customer(own(question)).map(str::to_owned)
}

fn own<T: 'static>(of_point: &dyn Any) -> &T {
    of_point.downcast_ref().expect("a point is handed its own questions and outcomes")
}

fn try_case<P: Fit>(
    runtime: &Runtime,
    extension: &Extension,
    config: &str,
    question: &serde_json::Value,
) -> Result<Tried, serde_json::Error> {
    let question: P::Question = serde::Deserialize::deserialize(question)?;
    let identity = CallIdentity { instance: "case", step: P::NAME, attempt: 1, customer: None };
    let watch = Stopwatch::start();
    let Called { result, fuel_used, log } = match extension.world::<P>() {
        Ok(world) => {
            let ask = Ask { question: &question, config, reads: extension.sku_attributes() };
            call::<P>(runtime, &world, extension.granted(), identity, ask)
        }
        Err(why) => Called { result: Err(why), fuel_used: 0, log: None },
    };
    let took_us = watch.micros();
    let result = match result {
        Ok(answer) => {
            let as_json = serde_json::to_value(&answer)?;
            P::revalidate(&question, answer).map(|_| as_json).map_err(invalid)
        }
        Err(why) => Err(why),
    };
    Ok(Tried { result, fuel_used, took_us, log })
}

/// An answer that is not true to its question, as a failure of the extension.
pub(crate) fn invalid(found: mortise_points::Invalid) -> Failure {
    Failure::new(mortise_points::FailureKind::Invalid, found.to_string())
}
