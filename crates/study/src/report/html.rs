use std::fmt::Write as _;

use super::again::drawn;
use super::found::{Found, found};
use super::svg::{Plot, round_step};
use super::text::{about, notes, number};
use crate::evaluate::outcome::{Outcome, Row, interval};

/// Budget of false alarms an hour whose latencies and leads are plotted.
const PLOTTED: &str = "1";
/// Most bars of a histogram.
const BARS: f64 = 12.0;
/// So many curves have a colour each; further ones are dashed.
const COLOURS: usize = 8;

/// A page that needs nothing else: no script, no font, no picture from elsewhere. `command` is
/// what makes it again.
pub(crate) fn html(outcome: &Outcome, command: &str) -> String {
    let mut page = String::from(HEAD);
    let mut add = |text: String| page.push_str(&text);
    add(format!("<h1>How good the detector is</h1><p>{}</p>", paragraph(&about(outcome))));
    add(format!("<div class=\"plots\">{}</div>", plots(&outcome.rows)));
    add(format!("<h2>Every window</h2>{}", windows(&outcome.rows)));
    add(format!("<h2>Alarms and events</h2>{}", alarms(&outcome.rows)));
    add(format!("<h2>How to read it</h2><p>{}</p>", paragraph(&notes())));
    add(format!(
        "<h2>To make it again</h2><pre>{}</pre><p>{}</p>",
        escape(command),
        paragraph(&drawn(&outcome.protocol))
    ));
    add("<p>Sensors see arousal, not what it means. Healthy adults under induced stress are not the \
         wearers; no clinical performance is claimed.</p></body></html>\n"
        .to_owned());
    page
}

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>Tidewatch: evaluation</title><style>\
:root{color-scheme:light dark;--ink:#1b2733;--paper:#fff;--soft:#5a6b7c;--rule:#d5dde5;--blue:#0b6bcb;\
--k0:#c2410c;--k1:#0f8a5f;--k2:#b0379a;--k3:#a37200;--k4:#6d4bc4;--k5:#0e8594;--k6:#8a4a2a;--k7:#5f6b77}\
@media(prefers-color-scheme:dark){:root{--ink:#e4eaf0;--paper:#12181f;--soft:#93a4b5;--rule:#2c3843;--blue:#63b3ff;\
--k0:#ff8a5c;--k1:#4fd1a1;--k2:#f08bdc;--k3:#f2c14e;--k4:#b39dff;--k5:#5ed3e0;--k6:#d9a07f;--k7:#b4bec8}}\
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:80rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}p{max-width:50rem}.scroll{overflow-x:auto}\
pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid var(--rule);padding:.6rem}\
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr));gap:1rem}figure{margin:0}\
figcaption{color:var(--soft);font-size:.85rem}table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}\
th,td{padding:.25rem .4rem;text-align:right;vertical-align:top;border-bottom:1px solid var(--rule)}td{white-space:nowrap}\
th{color:var(--soft);font-weight:500;font-size:.85rem;vertical-align:bottom;line-height:1.25}\
th:first-child,td:first-child{text-align:left;white-space:normal}tbody tr:first-child{font-weight:600}\
small{display:block;color:var(--soft);font-size:.75rem;font-weight:400;line-height:1.2}\
svg{width:100%;height:auto}svg text{font-size:10px;fill:var(--soft)}.middle{text-anchor:middle}.end{text-anchor:end}\
.axis{fill:none;stroke:var(--rule)}.curve{fill:none;stroke:var(--blue);stroke-width:2.5}.other{fill:none;stroke-width:1.3}\
.even{fill:none;stroke:var(--soft);stroke-dasharray:3 3}.dashed{stroke-dasharray:6 3}circle,rect{fill:var(--blue)}\
.k0{stroke:var(--k0)}.k1{stroke:var(--k1)}.k2{stroke:var(--k2)}.k3{stroke:var(--k3)}\
.k4{stroke:var(--k4)}.k5{stroke:var(--k5)}.k6{stroke:var(--k6)}.k7{stroke:var(--k7)}\
.legend{display:flex;flex-wrap:wrap;gap:0 .9rem;list-style:none;margin:.2rem 0 0;padding:0}\
.legend svg{width:1.5rem;height:.5rem;margin-right:.3rem}</style></head><body>";

fn paragraph(sentences: &[String]) -> String {
    let escaped: Vec<String> =
        sentences.iter().filter(|it| !it.is_empty()).map(|it| escape(it)).collect();
    escaped.join("<br>")
}

fn plots(rows: &[Row]) -> String {
    let first = &rows[0];
    let at = first.summary.events_at.get(PLOTTED);
    let mut all = vec![
        figure(&roc(rows), &format!("ROC, with the area under it.{}", legend(rows))),
        figure(&people(first), "AUROC of each person, lowest to highest."),
    ];
    all.extend(reliability(first).map(|plot| {
        figure(&plot, "Reliability: of windows with such a score, the share inside an episode.")
    }));
    if let Some(at) = at {
        let caption =
            "In hindsight, at one false alarm an hour: from an onset to the alarm in the episode.";
        all.push(figure(&histogram(&at.latencies_s, "latency, s"), caption));
        let caption = "In hindsight, at one false alarm an hour: from an early alarm to the onset that followed.";
        all.push(figure(&histogram(&at.early.leads_s, "lead time, s"), caption));
    }
    all.concat()
}

fn figure(plot: &Plot, caption: &str) -> String {
    format!("<figure>{}<figcaption>{caption}</figcaption></figure>", plot.svg())
}

fn roc(rows: &[Row]) -> Plot {
    let mut plot = Plot::new("ROC", "false positive rate", "true positive rate", 1.0, 1.0);
    plot.line(&[(0.0, 0.0), (1.0, 1.0)], "even", "chance");
    for (place, row) in rows.iter().enumerate().rev() {
        plot.line(&thinned(&row.roc), &curve(place), &escape(&row.name));
    }
    plot
}

/// The class of a row's curve: the detector's own, or a colour each.
fn curve(place: usize) -> String {
    let Some(other) = place.checked_sub(1) else { return "curve".to_owned() };
    let dashed = if other < COLOURS { "" } else { " dashed" };
    format!("other k{}{dashed}", other % COLOURS)
}

/// Which curve is whose.
fn legend(rows: &[Row]) -> String {
    let item = |class: &str, words: &str| {
        format!(
            "<li><svg viewBox=\"0 0 24 8\" aria-hidden=\"true\"><path class=\"{class}\" \
             d=\"M0 4H24\"/></svg>{words}</li>"
        )
    };
    let curves = rows.iter().enumerate().map(|(place, row)| {
        item(&curve(place), &format!("{} {}", escape(&row.name), number(row.summary.auroc)))
    });
    let all: String = curves.chain([item("even", "chance 0.5")]).collect();
    format!("<ul class=\"legend\">{all}</ul>")
}

/// A few hundred points look like thousands.
fn thinned(curve: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let step = (curve.len() / 300).max(1);
    curve.iter().step_by(step).chain(curve.last()).copied().collect()
}

fn people(row: &Row) -> Plot {
    let mut people: Vec<(&String, f64)> = row
        .summary
        .auroc_by_person
        .iter()
        .filter_map(|(person, auroc)| Some((person, (*auroc)?)))
        .collect();
    people.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut plot = Plot::new("AUROC by person", "person", "AUROC", people.len().max(1) as f64, 1.0);
    plot.line(&[(0.0, 0.5), (people.len() as f64, 0.5)], "even", "chance");
    for (place, (person, auroc)) in people.iter().enumerate() {
        plot.dot(place as f64 + 0.5, *auroc, &format!("{} {auroc:.3}", escape(person)));
    }
    plot
}

fn reliability(row: &Row) -> Option<Plot> {
    let bins = row.summary.reliability.as_ref()?;
    let mut plot = Plot::new("Reliability", "score", "share inside", 1.0, 1.0);
    plot.line(&[(0.0, 0.0), (1.0, 1.0)], "even", "a probability that holds");
    let filled = || bins.iter().filter(|bin| bin.windows > 0);
    let points: Vec<_> = filled().map(|bin| (bin.mean_score, bin.share_inside)).collect();
    plot.line(&points, "curve", &escape(&row.name));
    for bin in filled() {
        plot.dot(bin.mean_score, bin.share_inside, &format!("{} windows", bin.windows));
    }
    Some(plot)
}

fn histogram(seconds: &[f64], x: &str) -> Plot {
    let most = seconds.iter().fold(60.0_f64, |most, it| most.max(*it));
    let width = round_step(most, BARS);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 12")]
    let bar_of = |second: f64| (second / width) as usize;
    let bars = bar_of(most) + 1;
    let mut counts = vec![0_u32; bars];
    seconds.iter().for_each(|second| counts[bar_of(second.max(0.0))] += 1);
    let highest = counts.iter().max().copied().unwrap_or_default().max(5);
    let mut plot = Plot::new(x, x, "events", bars as f64 * width, f64::from(highest));
    for (place, count) in counts.into_iter().enumerate() {
        let from = place as f64 * width;
        let hint = format!("{from:.0} to {:.0} s: {count}", from + width);
        plot.bar(from, from + width, f64::from(count), &hint);
    }
    plot
}

/// A figure with its interval or range below.
fn with_below(figure: &str, below: &str) -> String {
    if below.is_empty() { figure.to_owned() } else { format!("{figure}<small>{below}</small>") }
}

fn windows(rows: &[Row]) -> String {
    let head = [
        "detector",
        "n",
        "AUROC, 95 %",
        "median person, range",
        "normal\u{ad}ised",
        "AUPRC",
        "Brier",
        "ECE",
        "bal\u{ad}anced",
        "guarded, 95 %",
        "shuffled",
        "still",
        "clock",
        "no verdict",
    ];
    let body = rows.iter().map(|row| {
        let it = &row.summary;
        let guarded = interval(it.auroc_time_balanced_guarded_ci95);
        vec![
            escape(&row.name),
            it.recordings.to_string(),
            with_below(&number(it.auroc), &interval(it.auroc_ci95)),
            with_below(&number(it.auroc_person_median), &interval(it.auroc_person_range)),
            number(it.auroc_person_normalised),
            number(it.auprc),
            number(it.brier),
            number(it.ece),
            number(it.auroc_time_balanced),
            with_below(&number(it.auroc_time_balanced_guarded), &guarded),
            number(row.auroc_shuffled),
            number(row.auroc_still),
            number(it.auroc_clock_same_windows),
            format!("{:.1} %", it.no_verdict_pct),
        ]
    });
    table(&head, body)
}

fn alarms(rows: &[Row]) -> String {
    let head = [
        "detector",
        "n",
        "budget, 1/h",
        "found, 95 %",
        "chance",
        "same thresh\u{ad}old",
        "p",
        "false alarms/h",
        "in the most active fifth",
        "median latency",
        "time in alarm",
        "median lead, quartiles",
        "warned",
    ];
    let of_row = |row: &Row| {
        let name = escape(&row.name);
        let n = row.summary.recordings;
        let line = |it: Found<'_>| event(&with_below(&name, it.by), n, it);
        found(row).into_iter().map(line).collect::<Vec<_>>()
    };
    table(&head, rows.iter().flat_map(of_row))
}

fn event(
    name: &str,
    n: usize,
    Found { budget, figures: it, active, .. }: Found<'_>,
) -> Vec<String> {
    let lead = it.early.lead_quartiles_s;
    vec![
        name.to_owned(),
        n.to_string(),
        budget.to_owned(),
        with_below(&format!("{:.3}", it.sensitivity), &interval(it.sensitivity_ci95)),
        number(it.chance),
        number(it.chance_same_threshold),
        number(it.p),
        format!("{:.2}", it.fa_per_h),
        active,
        it.median_latency_s.map(|it| format!("{it:.0} s")).unwrap_or_default(),
        format!("{:.1} %", it.time_in_alarm * 100.0),
        lead.map(|[low, middle, high]| {
            with_below(&format!("{middle:.0} s"), &format!("{low:.0} to {high:.0} s"))
        })
        .unwrap_or_default(),
        format!("{} of {}", it.early.warned, it.early.onsets),
    ]
}

fn table(head: &[&str], body: impl Iterator<Item = Vec<String>>) -> String {
    let mut html = String::from("<div class=\"scroll\"><table><thead><tr>");
    for name in head {
        write!(html, "<th>{name}</th>").expect("a string takes all");
    }
    html.push_str("</tr></thead><tbody>");
    for row in body {
        write!(html, "<tr><td>{}</td></tr>", row.join("</td><td>")).expect("a string takes all");
    }
    html + "</tbody></table></div>"
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
