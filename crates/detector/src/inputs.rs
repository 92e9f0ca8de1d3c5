/// Each feature against the person's own usual and own last minutes: what a model weighs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs(Vec<(String, f64)>);
impl Inputs {
    /// Name and value of every input that could be computed.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> + '_ {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }
}
