use std::fmt::Write as _;

use super::svg::Plot;
use super::text::{about, active, notes, number};
use crate::evaluate::outcome::{Outcome, Row, interval};
use crate::score::EventFigures;

/// Budget of false alarms an hour whose latencies and leads are plotted.
const PLOTTED: &str = "1";
/// Bars of a histogram.
const BARS: usize = 12;

/// A page that needs nothing else: no script, no font, no picture from elsewhere.
pub(crate) fn html(outcome: &Outcome) -> String {
    let mut page = String::from(HEAD);
    let mut add = |text: String| page.push_str(&text);
    add(format!("<h1>How good the detector is</h1><p>{}</p>", paragraph(&about(outcome))));
    add(format!("<div class=\"plots\">{}</div>", plots(&outcome.rows)));
    add(format!("<h2>Every window</h2>{}", windows(&outcome.rows)));
    add(format!("<h2>Alarms and events</h2>{}", alarms(&outcome.rows)));
    add(format!("<h2>How to read it</h2><p>{}</p>", paragraph(&notes())));
    add("<p>Sensors see arousal, not what it means. Healthy adults under induced stress are not the \
         wearers; no clinical performance is claimed.</p></body></html>\n"
        .to_owned());
    page
}

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>Tidewatch: evaluation</title><style>\
:root{color-scheme:light dark;--ink:#1b2733;--paper:#fff;--soft:#66788a;--rule:#d5dde5;--blue:#0b6bcb}\
@media(prefers-color-scheme:dark){:root{--ink:#e4eaf0;--paper:#12181f;--soft:#93a4b5;--rule:#2c3843;--blue:#63b3ff}}\
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:75rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}p{max-width:50rem}.scroll{overflow-x:auto}\
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr));gap:1rem}figure{margin:0}\
figcaption{color:var(--soft);font-size:.85rem}table{border-collapse:collapse;font-variant-numeric:tabular-nums}\
th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}\
th{color:var(--soft);font-weight:500}th:first-child,td:first-child{text-align:left}tbody tr:first-child{font-weight:600}\
svg{width:100%;height:auto}svg text{font-size:10px;fill:var(--soft)}.middle{text-anchor:middle}.end{text-anchor:end}\
.axis{fill:none;stroke:var(--rule)}.curve{fill:none;stroke:var(--blue);stroke-width:2}.other{fill:none;stroke:var(--soft)}\
.even{fill:none;stroke:var(--soft);stroke-dasharray:3 3}circle,rect{fill:var(--blue)}</style></head><body>";

fn paragraph(sentences: &[String]) -> String {
    let escaped: Vec<String> =
        sentences.iter().filter(|it| !it.is_empty()).map(|it| escape(it)).collect();
    escaped.join("<br>")
}

fn plots(rows: &[Row]) -> String {
    let first = &rows[0];
    let at = first.summary.events_at.get(PLOTTED);
    let mut all = vec![
        figure(&roc(rows), "ROC: the detector, and what it is held against."),
        figure(&people(first), "AUROC of each person, lowest to highest."),
    ];
    all.extend(reliability(first).map(|plot| {
        figure(&plot, "Reliability: of windows with such a score, the share inside an episode.")
    }));
    if let Some(at) = at {
        let caption = "At one false alarm an hour: from an onset to the alarm in the episode.";
        all.push(figure(&histogram(&at.latencies_s, "latency, s"), caption));
        let caption = "At one false alarm an hour: from an early alarm to the onset that followed.";
        all.push(figure(&histogram(&at.early.leads_s, "lead time, s"), caption));
    }
    all.concat()
}

fn figure(plot: &Plot, caption: &str) -> String {
    format!("<figure>{}<figcaption>{caption}</figcaption></figure>", plot.svg())
}

fn roc(rows: &[Row]) -> Plot {
    let mut plot = Plot::new("ROC", "false positive rate", "true positive rate", 1.0, 1.0);
    plot.line(&[(0.0, 0.0), (1.0, 1.0)], "even");
    for row in rows.iter().skip(1) {
        plot.line(&thinned(&row.roc), "other");
    }
    plot.line(&thinned(&rows[0].roc), "curve");
    plot
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
    plot.line(&[(0.0, 0.5), (people.len() as f64, 0.5)], "even");
    for (place, (person, auroc)) in people.iter().enumerate() {
        plot.dot(place as f64 + 0.5, *auroc, &format!("{} {auroc:.3}", escape(person)));
    }
    plot
}

fn reliability(row: &Row) -> Option<Plot> {
    let bins = row.summary.reliability.as_ref()?;
    let mut plot = Plot::new("Reliability", "score", "share inside", 1.0, 1.0);
    plot.line(&[(0.0, 0.0), (1.0, 1.0)], "even");
    let filled = || bins.iter().filter(|bin| bin.windows > 0);
    let points: Vec<_> = filled().map(|bin| (bin.mean_score, bin.share_inside)).collect();
    plot.line(&points, "curve");
    for bin in filled() {
        plot.dot(bin.mean_score, bin.share_inside, &format!("{} windows", bin.windows));
    }
    Some(plot)
}

fn histogram(seconds: &[f64], x: &str) -> Plot {
    let most = seconds.iter().fold(60.0_f64, |most, it| most.max(*it));
    let width = most / BARS as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 12")]
    let bar_of = |second: &f64| ((second / width) as usize).min(BARS - 1);
    let mut counts = [0_usize; BARS];
    seconds.iter().for_each(|second| counts[bar_of(second)] += 1);
    let highest = counts.iter().max().copied().unwrap_or_default().max(1);
    let mut plot = Plot::new(x, x, "events", most, highest as f64);
    for (place, count) in counts.into_iter().enumerate() {
        let from = place as f64 * width;
        let hint = format!("{from:.0} to {:.0} s: {count}", from + width);
        plot.bar(from, from + width, count as f64, &hint);
    }
    plot
}

fn windows(rows: &[Row]) -> String {
    let head = [
        "detector",
        "AUROC",
        "95 %",
        "median person",
        "range",
        "normalised",
        "AUPRC",
        "Brier",
        "ECE",
        "balanced",
        "guarded",
        "95 %",
        "shuffled",
        "still",
        "clock",
        "no verdict",
    ];
    let body = rows.iter().map(|row| {
        let it = &row.summary;
        vec![
            escape(&row.name),
            number(it.auroc),
            interval(it.auroc_ci95),
            number(it.auroc_person_median),
            interval(it.auroc_person_range),
            number(it.auroc_person_normalised),
            number(it.auprc),
            number(it.brier),
            number(it.ece),
            number(it.auroc_time_balanced),
            number(it.auroc_time_balanced_guarded),
            interval(it.auroc_time_balanced_guarded_ci95),
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
        "budget, 1/h",
        "found",
        "95 %",
        "chance",
        "same threshold",
        "p",
        "false alarms/h",
        "in the most active fifth",
        "median latency",
        "time in alarm",
        "lead, quartiles",
        "warned",
    ];
    let of_row = |row: &Row| {
        let name = escape(&row.name);
        let given = row
            .summary
            .events_at
            .iter()
            .map(move |(budget, it)| event(&name, budget, it, active(row, budget)));
        let name = format!("{}, threshold from others", escape(&row.name));
        let carried = row
            .carried_over
            .iter()
            .map(move |(budget, it)| event(&name, budget, it, String::new()));
        let name = format!("{}, own level", escape(&row.name));
        let own = row.summary.own_level.iter().map(move |it| event(&name, "", it, String::new()));
        given.chain(carried).chain(own).collect::<Vec<_>>()
    };
    table(&head, rows.iter().flat_map(of_row))
}

fn event(name: &str, budget: &str, it: &EventFigures, active: String) -> Vec<String> {
    let lead = it.early.lead_quartiles_s;
    vec![
        name.to_owned(),
        budget.to_owned(),
        format!("{:.3}", it.sensitivity),
        interval(it.sensitivity_ci95),
        number(it.chance),
        number(it.chance_same_threshold),
        number(it.p),
        format!("{:.2}", it.fa_per_h),
        active,
        it.median_latency_s.map(|it| format!("{it:.0} s")).unwrap_or_default(),
        format!("{:.1} %", it.time_in_alarm * 100.0),
        lead.map(|[low, middle, high]| format!("{low:.0}, {middle:.0}, {high:.0} s"))
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
