//! The board as a page for people, in their language.

use std::fmt::Write;

use chrono::{DateTime, Utc};

use crate::exchange::Board;
use crate::http::Readiness;

/// Writes the page. It asks itself again every five seconds.
pub(super) fn write(board: &Board, readiness: &Readiness, in_french: bool) -> String {
    let say = |french: &'static str, english: &'static str| {
        if in_french { french } else { english }
    };
    let mut page = String::with_capacity(4096);
    let language = say("fr", "en");
    push(
        &mut page,
        format_args!(
            "<!doctype html><html lang={language}><meta charset=utf-8>\
         <meta http-equiv=refresh content=5><title>hotline</title><style>\
         body{{font:16px/1.5 system-ui,sans-serif;max-width:50em;margin:2em auto;padding:0 1em}}\
         table{{border-collapse:collapse;width:100%}}td,th{{text-align:left;padding:.2em .6em;\
         border-bottom:1px solid #ccc}}.bad{{color:#a00}}</style><h1>hotline</h1>"
        ),
    );
    let alarms: Vec<String> = board.alarms.iter().map(ToString::to_string).collect();
    let problems = readiness.reasons.iter().chain(&readiness.warnings);
    for problem in problems.chain(alarms.iter().filter(|alarm| !readiness.warnings.contains(alarm)))
    {
        push(&mut page, format_args!("<p class=bad>{}</p>", Text(problem)));
    }
    push(
        &mut page,
        format_args!(
            "<p>{}: {} / {} · {}: {}</p>",
            say("Appels", "Calls"),
            board.calls,
            board.calls_max,
            say("en conversation", "talking"),
            board.calls_talking,
        ),
    );
    push(
        &mut page,
        format_args!(
            "<table><tr><th>{}<th>{}<th>{}",
            say("Ligne", "Line"),
            say("État", "State"),
            say("jusqu’à", "until"),
        ),
    );
    for line in &board.lines {
        let state = if line.open { say("ouverte", "open") } else { say("fermée", "closed") };
        let until = line
            .until_local
            .map(|until| until.format("%Y-%m-%d %H:%M").to_string())
            .unwrap_or_default();
        push(&mut page, format_args!("<tr><td>{}<td>{state}<td>{until}", line.line));
    }
    push(
        &mut page,
        format_args!(
            "</table><table><tr><th>{}<th>{}<th>{}",
            say("File", "Queue"),
            say("En attente", "Waiting"),
            say("Depuis (s)", "Oldest (s)"),
        ),
    );
    for queue in &board.queues {
        let oldest = queue.oldest.map(|seconds| seconds.to_string()).unwrap_or_default();
        push(&mut page, format_args!("<tr><td>{}<td>{}<td>{oldest}", queue.queue, queue.waiting));
    }
    push(
        &mut page,
        format_args!(
            "</table><table><tr><th>{}<th>{}<th>{}",
            say("Écoutant", "Listener"),
            say("État", "Presence"),
            say("Téléphones", "Phones"),
        ),
    );
    for listener in &board.listeners {
        push(
            &mut page,
            format_args!(
                "<tr><td>{}<td>{}<td>{}",
                Text(&listener.display),
                presence(&listener.presence, in_french),
                listener.phones,
            ),
        );
    }
    push(
        &mut page,
        format_args!(
            "</table><p><small><a href=/board>/board</a> · <a href=/healthz>/healthz</a> · \
         <a href=/readyz>/readyz</a> · <a href=/metrics>/metrics</a> · {} {} · {} UTC</small>",
            say("plan", "plan"),
            Text(&board.plan),
            written(board.at),
        ),
    );
    page
}

fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a string takes any text");
}

fn written(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M").to_string()
}

/// A presence in the language of who reads it (ADR 0010).
pub fn presence(word: &str, in_french: bool) -> &str {
    if !in_french {
        return word;
    }
    match word {
        "offline" => "absent",
        "available" => "disponible",
        "alerting" => "sonnerie",
        "talking" => "en conversation",
        "after_call_work" => "notes",
        "paused" => "en pause",
        "elsewhere" => "ailleurs",
        "unreachable" => "injoignable",
        other => other,
    }
}

/// Text made safe to stand in a page.
struct Text<'a>(&'a str);

impl std::fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for character in self.0.chars() {
            match character {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_can_not_become_markup() {
        assert_eq!(
            Text("<b>\"Léa\" & co</b>").to_string(),
            "&lt;b&gt;&quot;Léa&quot; &amp; co&lt;/b&gt;"
        );
    }
}
