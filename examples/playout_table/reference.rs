//! Figures of the real NetEq on the same traces without redundancy, measured elsewhere: `trace,j20,j100` comes in.

use std::{collections::BTreeMap, fs, path::Path};

#[derive(Clone, Debug)]
pub(crate) struct Reference(BTreeMap<String, [f64; 2]>);

impl Reference {
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        Self::parse(&text).map_err(|error| format!("{}:{error}", file.display()))
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let lines =
            text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with("trace,"));
        let entry = |(at, line): (usize, &str)| {
            let fields: Vec<&str> = line.split(',').map(str::trim).collect();
            let [name, j20, j100] = fields[..] else { return Err(wrong(at, line)) };
            let costs =
                [j20.parse().map_err(|_| wrong(at, line))?, j100.parse().map_err(|_| wrong(at, line))?];
            Ok((name.to_owned(), costs))
        };
        Ok(Self(lines.map(entry).collect::<Result<_, _>>()?))
    }

    pub(crate) fn cost(&self, trace: &str, price: usize) -> Option<f64> {
        self.0.get(trace).map(|costs| costs[price]).filter(|cost| *cost > 0.0)
    }
}

fn wrong(at: usize, line: &str) -> String {
    format!("{}: expected trace,j20,j100, found {line:?}", at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_is_named() {
        assert_eq!(
            Reference::parse("trace,j20,j100\na,1,2\nb,x,2\n").unwrap_err(),
            "3: expected trace,j20,j100, found \"b,x,2\""
        );
    }
}
