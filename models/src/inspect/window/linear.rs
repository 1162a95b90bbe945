//! The window of a fully connected layer, which covers all of its input.

use super::super::recording::{Recording, read};
use super::super::{Inspector, check_index};
use super::{
    Direction, MOST_VALUES, SlidingWindow, SourcePlane, WindowOperation, WindowQuery, chosen_input,
};
use crate::error::{Error, Result};

impl Inspector {
    pub(super) fn linear_window(
        &self,
        recording: &Recording,
        place: usize,
        query: WindowQuery,
    ) -> Result<SlidingWindow> {
        let (layer, step) = (&self.layers()[place], &recording.steps[place]);
        let refused = || Error::setting("layer", format!("{:?} has no weights", layer.name));
        let of = layer.numbers.as_ref().ok_or_else(refused)?;
        let [outputs, inputs] = *of.weight.dims() else {
            return Err(refused());
        };
        if inputs.max(outputs) > MOST_VALUES {
            let message = format!(
                "has {inputs} inputs and {outputs} outputs; at most {MOST_VALUES} are shown"
            );
            return Err(Error::setting("layer", message));
        }
        let map = check_index("map", query.map, outputs)?;
        let input = chosen_input(query, inputs, 0)?;
        let gradients = self.layer_gradients(recording, place, query)?;
        let weights = read(&of.weight, |weights| match query.direction {
            Direction::Forward => weights[map * inputs..(map + 1) * inputs].to_vec(),
            Direction::Backward => weights
                .iter()
                .skip(input)
                .step_by(inputs)
                .copied()
                .collect(),
        })?;
        let all = |tensor| read(tensor, <[f32]>::to_vec);
        let x = step.inputs.first().ok_or_else(refused)?;
        let (source, target, values, result) = match &gradients {
            None => (inputs, outputs, all(x)?, all(&step.output)?),
            Some(gradients) => {
                let missing = || Error::setting("layer", "passes no gradient to its input");
                let through = gradients.input.as_ref().ok_or_else(missing)?;
                (outputs, inputs, all(&gradients.output)?, all(through)?)
            }
        };
        let bias = match (&of.bias, &gradients) {
            (Some(bias), None) => Some(read(bias, |bias| bias[map])?),
            _ => None,
        };
        Ok(SlidingWindow {
            layer: layer.name.clone(),
            operation: WindowOperation::Linear,
            direction: query.direction,
            map,
            input,
            source: vec![source],
            target: vec![target],
            reads: [0, source],
            geometry: None,
            pool: None,
            planes: vec![SourcePlane {
                channel: 0,
                values,
                weights,
            }],
            rest: None,
            bias,
            values: result,
            then: match &gradients {
                None => self.following_maps(recording, place, map)?,
                Some(_) => Vec::new(),
            },
            class: gradients.as_ref().map(|gradients| gradients.class),
            score: gradients.as_ref().map(|gradients| gradients.score),
        })
    }
}
