//! Figures of the real NetEq (libwebrtc of July 2026, driven offline, means of five runs) on the shared traces, and of
//! others on other traces from a file: `trace,j20,j100,d` comes in, where D may be missing.

use std::{collections::BTreeMap, fs, path::Path};

/// Without redundancy, by the traces' names.
const PLAIN: &str = "
a_clean,32,33,32
b1_wifi_home,106,175,89
b2_wifi_congested,267,525,202
c_lte_bufferbloat,286,354,269
d_reorder,89,107,85
e1_g1050_A,53,60,51
e2_g1050_B,198,330,166
e3_g1050_C,571,939,479
f1_lossgen10,232,992,43
f2_lossgen20,432,1997,41
f3_lossgen30,654,3112,39
g1_drift_p200,58,66,56
g2_drift_m200,42,51,40
h1_rtp_webrtc_pcm16,211,417,160
h2_rtp_webrtc_g722T2,280,392,252
i_route_change,102,118,98
j_leo_like,82,136,69
";
/// With in-band FEC.
const FEC: &str = "
a_clean,31,32,31
b1_wifi_home,102,147,91
b2_wifi_congested,247,411,206
c_lte_bufferbloat,282,325,271
d_reorder,84,89,83
e1_g1050_A,53,56,53
e2_g1050_B,181,227,170
e3_g1050_C,531,697,489
f1_lossgen10,161,605,50
f2_lossgen20,273,1140,56
f3_lossgen30,438,1974,54
g1_drift_p200,58,60,58
g2_drift_m200,41,43,40
h1_rtp_webrtc_pcm16,182,264,161
h2_rtp_webrtc_g722T2,270,325,256
i_route_change,99,105,98
j_leo_like,78,103,71
";
/// The best retuning for either cost, of 55, over the default: geometric means over these traces, without redundancy.
pub(crate) const BEST_RETUNED: [f64; 2] = [0.729, 0.929];

/// One trace's figures.
#[derive(Clone, Copy, Debug)]
struct Figures {
    costs: [f64; 2],
    delay_ms: Option<f64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Reference(BTreeMap<String, Figures>);

impl Reference {
    /// What is known of the shared traces.
    pub(crate) fn known(fec: bool) -> Result<Self, String> {
        Self::parse(if fec { FEC } else { PLAIN })
    }

    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        Self::parse(&text).map_err(|error| format!("{}:{error}", file.display()))
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let lines =
            text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with("trace,"));
        let entry = |(at, line): (usize, &str)| {
            let (name, values) = line.split_once(',').ok_or_else(|| wrong(at, line))?;
            let values: Result<Vec<f64>, _> = values.split(',').map(|field| field.trim().parse()).collect();
            match values.map_err(|_| wrong(at, line))?[..] {
                [j20, j100] => Ok((name.trim().to_owned(), Figures { costs: [j20, j100], delay_ms: None })),
                [j20, j100, d] => {
                    Ok((name.trim().to_owned(), Figures { costs: [j20, j100], delay_ms: Some(d) }))
                }
                _ => Err(wrong(at, line)),
            }
        };
        Ok(Self(lines.map(entry).collect::<Result<_, _>>()?))
    }

    pub(crate) fn cost(&self, trace: &str, price: usize) -> Option<f64> {
        self.0.get(trace).map(|figures| figures.costs[price]).filter(|cost| *cost > 0.0)
    }

    /// D, and C as the costs tell it.
    pub(crate) fn delay_and_concealment(&self, trace: &str) -> Option<(f64, f64)> {
        let Figures { costs, delay_ms } = self.0.get(trace)?;
        Some(((*delay_ms)?, (costs[1] - (*delay_ms)?) / 100.0))
    }
}

fn wrong(at: usize, line: &str) -> String {
    format!("{}: expected trace,j20,j100[,d], found {line:?}", at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_is_named() {
        assert_eq!(
            Reference::parse("trace,j20,j100\na,1,2\nb,x,2\n").unwrap_err(),
            "3: expected trace,j20,j100[,d], found \"b,x,2\""
        );
    }

    #[test]
    fn the_shared_traces_are_known_with_and_without_fec() {
        let plain = Reference::known(false).unwrap();
        let (delay_ms, concealed) = plain.delay_and_concealment("f2_lossgen20").unwrap();
        assert!((delay_ms - 41.0).abs() < 1e-9 && (concealed - 19.56).abs() < 1e-9);
        assert_eq!(Reference::known(true).unwrap().cost("f2_lossgen20", 0), Some(273.0));
        assert_eq!(plain.0.len(), Reference::known(true).unwrap().0.len());
    }
}
