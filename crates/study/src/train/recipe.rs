/// How a model is made.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Recipe {
    /// Precision of the prior around no weight: how much evidence a weight needs.
    #[arg(long, default_value_t = 30.0)]
    pub(crate) ridge: f64,
    /// What a weight must be worth to be there at all.
    #[arg(long, default_value_t = 10.0)]
    pub(crate) lasso: f64,
    /// Time constant of the score's smoothing, s.
    #[arg(long, default_value_t = 45.0)]
    pub(crate) smoothing: f64,
    /// Each recording is learned from again so often with its start cropped at random.
    #[arg(long, default_value_t = 0)]
    pub(crate) crops: u64,
    /// Each recording is learned from again so often with its blocks in another order.
    #[arg(long, default_value_t = 2)]
    pub(crate) shuffles: u64,
    /// Of so many hops in a row one is learned from.
    #[arg(long, default_value_t = 2)]
    pub(crate) every: usize,
    /// The licence of the recordings, for the model's card.
    #[arg(long, default_value = "unknown")]
    pub(crate) licence: String,
}
