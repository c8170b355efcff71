//! Bars for long work: on standard error, on a terminal, and only where it takes a while.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::app::progress::{Observer, Progress};

/// Work that is done sooner shows no bar.
const DELAY: Duration = Duration::from_millis(500);

/// What is shown of the call that runs.
struct Shown {
    since: Instant,
    bar: Option<ProgressBar>,
}

/// An observer that draws, if `is_wanted` and standard error is a terminal; else one that does
/// nothing.
pub(super) fn observer(is_wanted: bool) -> Arc<Observer> {
    use std::io::IsTerminal as _;
    if is_wanted && std::io::stderr().is_terminal() {
        drawing(DELAY, ProgressDrawTarget::stderr)
    } else {
        Arc::new(|_| {})
    }
}

fn drawing(
    delay: Duration,
    target: impl Fn() -> ProgressDrawTarget + Send + Sync + 'static,
) -> Arc<Observer> {
    let shown: Mutex<Option<Shown>> = Mutex::new(None);
    Arc::new(move |progress: Progress<'_>| {
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        if progress.done >= progress.total {
            if let Some(bar) = shown.take().and_then(|shown| shown.bar) {
                bar.finish_and_clear();
            }
            return;
        }
        let shown = shown.get_or_insert_with(|| Shown {
            since: Instant::now(),
            bar: None,
        });
        if shown.bar.is_none() && shown.since.elapsed() >= delay {
            shown.bar = Some(bar(progress, target()));
        }
        if let Some(bar) = &shown.bar {
            bar.set_position(u64::try_from(progress.done).unwrap_or(u64::MAX));
        }
    })
}

fn bar(progress: Progress<'_>, target: ProgressDrawTarget) -> ProgressBar {
    let length = u64::try_from(progress.total).ok();
    let bar = ProgressBar::with_draw_target(length, target);
    if let Ok(style) = ProgressStyle::with_template("{msg}  {wide_bar}  {pos}/{len} units  {eta}") {
        bar.set_style(style);
    }
    let what: String = progress.what.chars().take(40).collect();
    bar.set_message(what);
    bar
}

#[cfg(test)]
mod tests {
    use std::io;

    use indicatif::TermLike;

    use super::*;

    /// A terminal that keeps what was written to its one line.
    #[derive(Debug, Clone, Default)]
    struct Line(Arc<Mutex<String>>);

    impl Line {
        fn text(&self) -> String {
            self.0.lock().unwrap().clone()
        }
    }

    impl TermLike for Line {
        fn width(&self) -> u16 {
            80
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.0.lock().unwrap().clear();
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn at(done: usize) -> Progress<'static> {
        Progress {
            what: "upgrade",
            done,
            total: 10,
        }
    }

    fn draw_on(line: &Line, delay: Duration) -> Arc<Observer> {
        let line = line.clone();
        drawing(delay, move || {
            ProgressDrawTarget::term_like(Box::new(line.clone()))
        })
    }

    #[test]
    fn a_bar_shows_how_far_it_is_and_goes_at_the_end() {
        let line = Line::default();
        let observe = draw_on(&line, Duration::ZERO);
        observe(at(3));
        let drawn = line.text();
        assert!(
            drawn.contains("upgrade") && drawn.contains("3/10 units"),
            "{drawn}"
        );
        observe(at(10));
        assert_eq!(line.text().trim(), "");
    }

    #[test]
    fn short_work_draws_nothing() {
        let line = Line::default();
        let observe = draw_on(&line, Duration::from_mins(10));
        for done in 1..=10 {
            observe(at(done));
        }
        assert_eq!(line.text(), "");
    }
}
