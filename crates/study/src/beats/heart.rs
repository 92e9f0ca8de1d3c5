use detector::{Feature, FeatureVector};

/// What the heart did in a window; none where its normal intervals cover too little of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Heart {
    /// Beats/min.
    pub(super) rate: Option<f64>,
    /// ms.
    pub(super) rmssd: Option<f64>,
}

impl Heart {
    pub(super) fn of(features: &FeatureVector) -> Self {
        let of = |feature: Feature| features.get(feature.name());
        Self { rate: of(Feature::HeartRate), rmssd: of(Feature::Rmssd) }
    }
}
