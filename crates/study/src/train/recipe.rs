/// How a model is made.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Recipe {
    /// What an input must be worth to be there at all, in parts of the target's spread.
    #[arg(long, default_value_t = 0.013)]
    pub(crate) lasso: f64,
    /// How strongly weights are drawn to 0.
    #[arg(long, default_value_t = 0.05)]
    pub(crate) ridge: f64,
    /// Time constant of the score's smoothing, s.
    #[arg(long, default_value_t = 30.0)]
    pub(crate) smoothing: f64,
    /// Each recording is learned from again so often with its start cropped at random.
    #[arg(long, default_value_t = 3)]
    pub(crate) crops: u64,
    /// Each recording is learned from again so often with its blocks in another order.
    #[arg(long, default_value_t = 6)]
    pub(crate) shuffles: u64,
    /// The licence of the recordings, for the model's card.
    #[arg(long, default_value = "unknown")]
    pub(crate) licence: String,
}
