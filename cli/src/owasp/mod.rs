//! `weir owasp`: which risks of a list the policy in force covers, by what, what it leaves open, and what covers that
//! instead.

mod framework;
mod join;
mod json;
mod markdown;
mod mesh;
mod places;
mod rules;
mod settings;
mod view;

use std::io::{self, Write};

use crate::args::{Owasp, PageFormat};
use crate::{Exit, doctor, in_force};
use framework::Framework;
use mesh::Mesh;
use view::View;

/// Prints the page.
///
/// # Errors
/// A file cannot be read, or the output not written.
pub fn run(arguments: &Owasp, out: &mut dyn Write) -> io::Result<Exit> {
    let (caller, host) = (arguments.caller.as_deref(), arguments.host.as_deref());
    let Some(found) = in_force::load(arguments.policy.as_deref(), caller, host)? else {
        return Ok(Exit::Bad);
    };
    let framework = Framework::load(arguments.framework)?;
    let manifests = match arguments.manifests.as_slice() {
        [] => None,
        files => match doctor::read(files) {
            Some(manifests) => Some(manifests),
            None => return Ok(Exit::Unreadable),
        },
    };
    let mesh = manifests.as_ref().map(|manifests| Mesh::of(manifests, &found.guard.hash));
    let view = View::of(found, caller, host)?;
    let page = join::page(&framework, &view, mesh.as_ref());
    match arguments.format {
        PageFormat::Markdown => markdown::write(&page, out)?,
        PageFormat::Json => writeln!(out, "{:#}", json::page(&page))?,
    }
    Ok(Exit::Good)
}
