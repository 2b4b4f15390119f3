//! What extensions cost: a call in a fresh instance beside a bare engine's, a checkout with three of them beside one with
//! none, and a server with very many deployed beside one with none.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::args::{Extensions, Format, OfExtensions};
use crate::client::Connection;
use crate::failure::Failure;
use crate::ground::Ground;
use crate::order::{self, Choice};
use crate::platform::Server;
use crate::print;
use crate::report::Series;
use crate::report::extensions::{Deployed, Report, Row, Start};
use crate::shop;
use crate::stopwatch::Stopwatch;

/// The point whose template is called in every language.
const POINT: &str = "unit-price";

pub(crate) async fn run(wish: Extensions) -> Result<(), Failure> {
    let ground = Ground::prepare(&wish.ground)?;
    let mut report = Report {
        machine: ground.machine.clone(),
        program: ground.platform.version()?,
        callers: ground.callers,
        seconds: ground.seconds,
        rounds: wish.ground.rounds,
        calls: Vec::new(),
        none: Series::default(),
        three: Series::default(),
        deployed: None,
    };
    for part in &wish.parts {
        match part {
            OfExtensions::Calls => calls(&ground, &wish, &mut report)?,
            OfExtensions::Checkout => checkout(&ground, &wish, &mut report).await?,
            OfExtensions::Deployed => report.deployed = Some(deployed(&ground, &wish).await?),
        }
    }
    print::result(&match wish.ground.format {
        Format::Text => report.text(),
        Format::Json => report.json().to_string(),
    });
    Ok(())
}

/// Every case of the built extensions, and of a template of every language.
fn calls(ground: &Ground, wish: &Extensions, report: &mut Report) -> Result<(), Failure> {
    let mut measure = |language: &str, folder: &Path| {
        let extension = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        print::progress(&format!("calls of {extension}"));
        let measured = ground.platform.bench(folder, wish.calls)?;
        report.calls.extend(measured.into_iter().map(|calls| Row {
            language: language.to_owned(),
            extension: extension.clone(),
            calls,
        }));
        Ok::<_, Failure>(())
    };
    for folder in with_cases(&ground.platform.extensions)? {
        measure("rust", &folder)?;
    }
    for language in &wish.languages {
        print::progress(&format!("the template of {language} is built"));
        let folder = ground.platform.write_template(language, POINT, &ground.bench.path(""))?;
        measure(language, &folder)?;
    }
    Ok(())
}

fn with_cases(extensions: &Path) -> Result<Vec<PathBuf>, Failure> {
    let read = std::fs::read_dir(extensions).map_err(|error| Failure::file(extensions, &error))?;
    let mut folders: Vec<PathBuf> = read
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|folder| folder.join("extension.toml").is_file() && folder.join("cases").is_dir())
        .collect();
    folders.sort();
    Ok(folders)
}

/// In turns, so that what the machine does meanwhile falls on both.
async fn checkout(ground: &Ground, wish: &Extensions, report: &mut Report) -> Result<(), Failure> {
    let three = ground.bindings("three.toml", &shop::three_bindings())?;
    for round in 1..=wish.ground.rounds {
        for (name, bindings) in [("none", None), ("three", Some(&*three))] {
            let (measured, ..) = ground.uniform(bindings).await?;
            let rate = measured.speed.orders_per_second;
            print::progress(&format!("round {round} of {}: {name}: {rate:.0} a second", wish.ground.rounds));
            if bindings.is_some() { &mut report.three } else { &mut report.none }.add(measured);
        }
    }
    Ok(())
}

/// Each of the many is another component: one of a few, with its number in a section of its own. The first start compiles
/// them and stores them in the database; the following ones find them there.
async fn deployed(ground: &Ground, wish: &Extensions) -> Result<Deployed, Failure> {
    let data = ground.fresh()?;
    let before = start(ground, &data, None).await?;
    let folder = ground.bench.path("many");
    let (bindings, component_bytes) = many(&ground.platform.extensions, &folder, wish.deployed)?;
    let file = ground.bench.path("many.toml");
    std::fs::write(&file, bindings).map_err(|error| Failure::file(&file, &error))?;
    print::progress(&format!("{} extensions are compiled and deployed", wish.deployed));
    let first = start(ground, &data, Some((&folder, &file))).await?;
    let mut starts = Vec::new();
    for round in 1..=wish.ground.rounds {
        let start = start(ground, &data, None).await?;
        print::progress(&format!("start {round} of {}: {:.2} s", wish.ground.rounds, start.took_s));
        starts.push(start);
    }
    Ok(Deployed { count: wish.deployed, component_bytes, before, first, starts })
}

/// One start: how long until it listens, what it holds when it is left alone, and its first order.
async fn start(ground: &Ground, data: &Path, files: Option<(&Path, &Path)>) -> Result<Start, Failure> {
    let began = Stopwatch::start();
    let server = ground.platform.serve_with(data, files)?;
    let took = began.passed();
    let memory = server.memory_at_rest().await;
    let first_order = order(&server, took).await?;
    Ok(Start { took_s: took.as_secs_f64(), memory, first_order_ms: first_order.as_secs_f64() * 1e3 })
}

/// An order that is none of the others: its number is drawn from the clock of this run.
async fn order(server: &Server, salt: Duration) -> Result<Duration, Failure> {
    let mut request = Vec::new();
    order::request(u64::from(salt.subsec_nanos()), Choice::Uniform(200), &mut request);
    let mut connection = Connection::open(server.address).await?;
    let asked = Stopwatch::start();
    let answer = connection.exchange(&request).await?;
    if answer.status != 200 {
        let text = String::from_utf8_lossy(answer.body);
        return Err(Failure::words(format!("an order was answered with {}: {text}", answer.status)));
    }
    Ok(asked.passed())
}

/// Makes a folder of so many extensions; returns their bindings, and how many bytes their components have together.
fn many(from: &Path, to: &Path, count: u32) -> Result<(String, u64), Failure> {
    let models = &shop::MODELS;
    let (mut bindings, mut bytes) = (Vec::new(), 0);
    let sources = models.iter().map(|model| Source::read(&from.join(model.extension)));
    let sources: Vec<Source> = sources.collect::<Result<_, _>>()?;
    for number in 0..count {
        let place = number as usize % models.len();
        let (model, source) = (&models[place], &sources[place]);
        let name = format!("{}-{number}", model.extension);
        bytes += source.write(&to.join(&name), model.extension, &name, number)?;
        // The first of each model is the shop's line's own, so that its orders ask.
        let line = number as usize / models.len();
        let line = if line == 0 { shop::LINE.to_owned() } else { format!("line-{line}") };
        bindings.push(shop::binding(model, &line, &name));
    }
    Ok((bindings.join("\n"), bytes))
}

/// An extension's files.
struct Source {
    manifest: String,
    schema: Vec<u8>,
    component: Vec<u8>,
}

impl Source {
    fn read(folder: &Path) -> Result<Self, Failure> {
        let read = |file: &Path| std::fs::read(file).map_err(|error| Failure::file(file, &error));
        let manifest = String::from_utf8_lossy(&read(&folder.join("extension.toml"))?).into_owned();
        let component = component(&manifest)
            .ok_or_else(|| Failure::words(format!("{}: no component in its manifest", folder.display())))?;
        let schema = read(&folder.join("config.schema.json"))?;
        Ok(Self { component: read(&folder.join(component))?, schema, manifest })
    }

    /// Writes it under another name; returns the size of its component.
    fn write(&self, folder: &Path, name: &str, renamed: &str, number: u32) -> Result<u64, Failure> {
        std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
        let old = component(&self.manifest).unwrap_or_default();
        let manifest = self
            .manifest
            .replace(&format!("name = \"{name}\""), &format!("name = \"{renamed}\""))
            .replace(old, "extension.wasm");
        let mut component = self.component.clone();
        component.extend(section(number));
        let size = component.len() as u64;
        for (file, content) in [
            ("extension.toml", manifest.as_bytes()),
            ("config.schema.json", &self.schema),
            ("extension.wasm", &component),
        ] {
            let file = folder.join(file);
            std::fs::write(&file, content).map_err(|error| Failure::file(&file, &error))?;
        }
        Ok(size)
    }
}

/// The component's file, as a manifest names it.
fn component(manifest: &str) -> Option<&str> {
    manifest.lines().find_map(|line| line.strip_prefix("component = \"")?.strip_suffix('"'))
}

/// A custom section with a number: id 0, its size, the length of its name, its name, what it holds.
fn section(number: u32) -> Vec<u8> {
    let (name, content) = (b"number", number.to_le_bytes());
    let mut section = vec![0, 1 + 6 + 4, 6];
    section.extend_from_slice(name);
    section.extend_from_slice(&content);
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_as_long_as_it_says() {
        let section = section(7);
        assert_eq!(usize::from(section[1]), section.len() - 2);
    }

    #[test]
    fn the_component_is_found_in_a_manifest() {
        assert_eq!(component("[extension]\ncomponent = \"../a.wasm\"\n"), Some("../a.wasm"));
        assert_eq!(component("[extension]\n"), None);
    }
}
