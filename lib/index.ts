// SPDX-License-Identifier: Apache-2.0
// The public exports, nothing else.
export { Activation } from './activations/activation';
export { ActivationCube } from './activations/activation-cube';
export { ActivationELU } from './activations/activation-elu';
export { ActivationGELU } from './activations/activation-gelu';
export { ActivationHardSigmoid } from './activations/activation-hard-sigmoid';
export { ActivationHardTanH } from './activations/activation-hard-tanh';
export { ActivationIdentity } from './activations/activation-identity';
export { ActivationLReLU } from './activations/activation-lrelu';
export { ActivationMish } from './activations/activation-mish';
export { ActivationPReLU } from './activations/activation-prelu';
export { ActivationRationalTanh } from './activations/activation-rational-tanh';
export { ActivationRectifiedTanh } from './activations/activation-rectified-tanh';
export { ActivationReLU } from './activations/activation-relu';
export { ActivationReLU6 } from './activations/activation-relu6';
export { ActivationRReLU } from './activations/activation-rrelu';
export { ActivationSELU } from './activations/activation-selu';
export { ActivationSigmoid } from './activations/activation-sigmoid';
export { ActivationSoftPlus } from './activations/activation-soft-plus';
export { ActivationSoftSign } from './activations/activation-soft-sign';
export { ActivationSoftmax } from './activations/activation-softmax';
export { ActivationSwish } from './activations/activation-swish';
export { ActivationTanH } from './activations/activation-tanh';
export { ActivationThresholdedReLU } from './activations/activation-thresholded-relu';
export type { IActivation, OutOption } from './activations/iactivation';
export type { ArrayInput, Dtype, NestedNumbers, Shape, TypedArray } from './array-input';
export type { ErrorCode } from './errors';
export {
  type FusedLinearCrossEntropyCall,
  fusedLinearCrossEntropy,
  type LinearCrossEntropyGradients,
} from './layers/fused-linear-cross-entropy';
export {
  type LayerGradients,
  type LayerGradientsOptions,
  OutputLayer,
  type OutputLayerBuilder,
} from './layers/output-layer';
export { WeightInit } from './layers/weight-init';
export { LossFunction } from './loss-function';
export type { AsyncOptions } from './losses/async-call';
export { type BindOptions, BoundLoss } from './losses/bound-loss';
export type { CrossEntropyOptions } from './losses/cross-entropy-loss';
export type { LabelsOption, OptionsOf, WeightsOption } from './losses/formula-loss';
export type { ActivationInput, GradientAndScore, ILossFunction, MaskInput } from './losses/iloss-function';
export type { BinaryCrossEntropyOptions } from './losses/loss-binary-xent';
export { LossBinaryXENT } from './losses/loss-binary-xent';
export { LossCosineProximity } from './losses/loss-cosine-proximity';
export { LossDice } from './losses/loss-dice';
export { LossFMeasure } from './losses/loss-fmeasure';
export { LossGeneralizedCrossEntropy } from './losses/loss-generalized-cross-entropy';
export { LossHinge } from './losses/loss-hinge';
export { LossHuber } from './losses/loss-huber';
export { LossKLD } from './losses/loss-kld';
export { LossL1 } from './losses/loss-l1';
export { LossL2 } from './losses/loss-l2';
export { LossLogCosh } from './losses/loss-log-cosh';
export { LossMAE } from './losses/loss-mae';
export { LossMAPE } from './losses/loss-mape';
export { LossMCXENT } from './losses/loss-mcxent';
export { LossMixtureDensity } from './losses/loss-mixture-density';
export { LossMSE } from './losses/loss-mse';
export { LossMSLE } from './losses/loss-msle';
export { LossMultiLabel } from './losses/loss-multi-label';
export { LossMultiMargin } from './losses/loss-multi-margin';
export { LossNegativeLogLikelihood } from './losses/loss-negative-log-likelihood';
export { LossPoisson } from './losses/loss-poisson';
export { LossPoly1CrossEntropy } from './losses/loss-poly1-cross-entropy';
export { LossSigmoidFocal } from './losses/loss-sigmoid-focal';
export { LossSmoothL1 } from './losses/loss-smooth-l1';
export { LossSmoothedCrossEntropy } from './losses/loss-smoothed-cross-entropy';
export { LossSoftMargin } from './losses/loss-soft-margin';
export { LossSoftmaxFocal } from './losses/loss-softmax-focal';
export type { SparseCrossEntropyOptions } from './losses/loss-sparse-mcxent';
export { LossSparseMCXENT } from './losses/loss-sparse-mcxent';
export { LossSquaredHinge } from './losses/loss-squared-hinge';
export { LossTversky } from './losses/loss-tversky';
export { LossWasserstein } from './losses/loss-wasserstein';
export { LossWeightedBinaryXENT, type PosWeightOptions } from './losses/loss-weighted-binary-xent';
export { defineLoss, type LossDefinition, SameDiffLoss, type SameDiffLossOptions } from './losses/samediff-loss';
export { nd, type RandomOptions } from './ndarray/nd';
export { NDArray, type ReduceArguments, type ReduceOptions } from './ndarray/ndarray';
export { Transforms } from './ndarray/transforms';
export type { FloatDtype } from './outputs';
export { SDBaseOps } from './samediff/base-ops';
export { loss } from './samediff/eager-loss';
export {
  type At,
  History,
  type Listener,
  Loss,
  LossCurve,
  ScoreListener,
} from './samediff/listeners';
export {
  type CosineDistanceOption,
  type CtcOption,
  type DiceOption,
  type FocalOption,
  type GaussianNLLArguments,
  type GaussianNLLOption,
  type GeneralizedCrossEntropyOption,
  type HuberOption,
  type LogLossOption,
  type LogPoissonOption,
  type LossArguments,
  type MarginRankingArguments,
  type MarginRankingOption,
  type MultiMarginOption,
  type Poly1Option,
  SDLoss,
  type SmoothingOption,
  type SmoothL1Option,
  type TripletMarginArguments,
  type TripletMarginOption,
  type TverskyOption,
  type WeightedArguments,
} from './samediff/loss';
export { LossReduce } from './samediff/loss-formulas';
export { SDMath } from './samediff/math';
export { SDNN } from './samediff/nn';
export { SameDiff } from './samediff/samediff';
export type { Batch, DataSet, FitOptions, TrainingData } from './samediff/training';
export { TrainingConfig, type TrainingConfigBuilder } from './samediff/training-config';
export { Adam, type AdamOptions, type IUpdater, Nesterovs, type NesterovsOptions, Sgd } from './samediff/updaters';
export {
  type AxesArguments,
  type Named,
  type Placeholders,
  SDVariable,
  type Term,
  type VariableType,
} from './samediff/variable';
export { simd } from './simd';
export { getNumThreads, setNumThreads } from './threads';
export { backend, version } from './version';
