//! Tables as ksqlDB's command line draws them. Knows nothing of what stands in them.

use unicode_width::UnicodeWidthStr;

#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new<S: Into<String>>(header: impl IntoIterator<Item = S>) -> Table {
        Table { header: header.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// As many cells as the header has.
    pub(super) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(|cell| plain(&cell.into())).collect());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// All of it. `terminal` is the terminal's width, where there is one.
    pub(super) fn text(&self, terminal: Option<usize>) -> String {
        let layout = self.layout(terminal);
        format!("{}{}{}", layout.head(&self.header), self.body(&layout), layout.rule())
    }

    /// The rows alone.
    pub(super) fn body(&self, layout: &Layout) -> String {
        self.rows.iter().map(|row| layout.line(row)).collect()
    }

    /// How wide the columns have to be for what there is so far.
    pub(super) fn layout(&self, terminal: Option<usize>) -> Layout {
        let wide = |column: usize| {
            let cells = self.rows.iter().chain([&self.header]).filter_map(|row| row.get(column));
            cells.map(|cell| cell.width()).max().unwrap_or(0)
        };
        Layout { widths: (0..self.header.len()).map(wide).collect(), terminal }
    }

    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// Rows that have been shown go.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
    }
}

/// The columns' widths. What does not fit one moves the rest of its line.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    widths: Vec<usize>,
    terminal: Option<usize>,
}

impl Layout {
    pub(super) fn head(&self, header: &[String]) -> String {
        format!("{}{}", self.line(header), self.rule())
    }

    /// As wide as the wider of both, column by column.
    pub(super) fn wider(mut self, other: &Layout) -> Layout {
        for (width, other) in self.widths.iter_mut().zip(&other.widths) {
            *width = (*width).max(*other);
        }
        self
    }

    pub(super) fn rule(&self) -> String {
        let width = (self.widths.iter().map(|width| width + 3).sum::<usize>()).saturating_sub(1);
        format!("{}\n", "-".repeat(self.terminal.map_or(width, |terminal| width.min(terminal))))
    }

    fn line(&self, cells: &[String]) -> String {
        let pad =
            |(cell, width): (&String, &usize)| format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width())));
        let cells: Vec<String> = cells.iter().zip(&self.widths).map(pad).collect();
        format!(" {}\n", cells.join(" | ").trim_end())
    }
}

/// Text that moves no cursor and colours nothing, whatever was in the record.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// The terminal's width; `None` where the output is none.
pub(super) fn terminal() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn table() -> Table {
        let mut table = Table::new(["Kafka Topic", "Partitions"]);
        table.row(["jovens", "2"]);
        table.row(["São João 東京", "12"]);
        table
    }

    #[test]
    fn columns_are_aligned_whatever_the_letters_width() {
        expect![[r#"
             Kafka Topic   | Partitions
            ----------------------------
             jovens        | 2
             São João 東京 | 12
            ----------------------------
        "#]]
        .assert_eq(&table().text(None));
    }

    #[test]
    fn dashes_stop_at_the_terminals_edge() {
        for (terminal, dashes) in [(Some(20), 20), (Some(27), 27), (Some(28), 28), (Some(29), 28), (None, 28)] {
            let text = table().text(terminal);
            assert_eq!(text.lines().nth(1).map(str::len), Some(dashes), "{terminal:?}");
        }
    }

    #[test]
    fn a_record_cannot_steer_the_terminal() {
        let mut table = Table::new(["a"]);
        table.row(["x\u{1b}[2J\ny\u{9b}1m\té"]);
        assert!(table.text(None).contains(r" x\u{1b}[2J\ny\u{9b}1m\té"), "{}", table.text(None));
    }
}
