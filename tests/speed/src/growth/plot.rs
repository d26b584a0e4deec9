//! The picture: calls, time and memory over the number of connections, each on scales of powers of ten.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use crate::runs::{Job, Run};

const SIZE: (u32, u32) = (1080, 380);
const FONT: &str = "sans-serif";

type Drawn = Result<(), Box<dyn Error>>;
type Points = Vec<(f64, f64)>;

/// Which of the runs' figures a panel shows.
struct Panel {
    title: &'static str,
    figure: fn(&Run) -> f64,
    /// What it is held against, if there is such a thing.
    floor: Option<fn(&Run) -> f64>,
}

const PANELS: [Panel; 3] = [
    Panel { title: "calls", figure: |run| run.calls as f64, floor: None },
    Panel { title: "seconds", figure: |run| run.took, floor: Some(|run| run.floor) },
    Panel { title: "peak memory, MiB", figure: |run| run.peak, floor: None },
];

fn colour(job: Job) -> RGBColor {
    match job {
        Job::Accept => RGBColor(31, 119, 180),
        Job::Tell => RGBColor(255, 127, 14),
    }
}

fn points(runs: &[Run], job: Job, figure: fn(&Run) -> f64) -> Points {
    let of_job = runs.iter().filter(|run| run.job == job);
    // There is no nothing on such a scale.
    of_job.map(|run| (run.connections as f64, figure(run))).filter(|(_, figure)| *figure > 0.0).collect()
}

/// The powers of ten between which all figures are.
fn between(figures: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let least = figures.clone().fold(f64::INFINITY, f64::min).log10().floor();
    let most = figures.fold(0.0, f64::max).log10().ceil();
    (10_f64.powf(least), 10_f64.powf(most.max(least + 1.0)))
}

fn power(value: &f64) -> String {
    match *value {
        value if value >= 1e3 => format!("{}k", value / 1e3),
        value => format!("{value}"),
    }
}

/// Draws the runs into an SVG file.
pub(crate) fn write(path: &Path, runs: &[Run]) -> Drawn {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let most = runs.iter().map(|run| run.connections).max().unwrap_or(10) as f64;
    for (panel, area) in PANELS.iter().zip(root.split_evenly((1, PANELS.len()))) {
        let lines: Vec<(Job, bool, Points)> = Job::BOTH
            .into_iter()
            .flat_map(|job| {
                let floor = panel.floor.map(|floor| (job, true, points(runs, job, floor)));
                [Some((job, false, points(runs, job, panel.figure))), floor].into_iter().flatten()
            })
            .collect();
        let (low, high) = between(lines.iter().flat_map(|(_, _, points)| points).map(|point| point.1));
        let mut chart = ChartBuilder::on(&area)
            .caption(panel.title, (FONT, 18))
            .margin(10)
            .x_label_area_size(36)
            .y_label_area_size(52)
            .build_cartesian_2d((10.0..most).log_scale(), (low..high).log_scale())?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .x_desc("connections")
            .x_label_formatter(&power)
            .y_label_formatter(&power)
            .label_style((FONT, 13))
            .draw()?;
        for (job, is_floor, points) in lines {
            let colour = colour(job);
            let name = if is_floor { format!("{}, the buckets alone", job.name()) } else { job.name().to_owned() };
            let style = if is_floor { colour.mix(0.35).stroke_width(6) } else { colour.stroke_width(2) };
            chart
                .draw_series(LineSeries::new(points.clone(), style))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
            if !is_floor {
                chart.draw_series(points.into_iter().map(|point| Circle::new(point, 3, colour.filled())))?;
            }
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .label_font((FONT, 12))
            .draw()?;
    }
    root.present()?;
    Ok(())
}
