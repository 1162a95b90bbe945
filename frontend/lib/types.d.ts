// The JSON that the server and the browser exchange, in one place.

export type Status = "queued" | "running" | "finished" | "stopped" | "failed" | "interrupted";
export type Reason = "completed" | "stopped" | "early_stopped" | "diverged" | "failed";

/** Any figure may be unknown yet. */
export interface Summary {
  epoch: number | null;
  epochs: number | null;
  step: number | null;
  steps: number | null;
  samples_seen: number | null;
  seconds: number | null;
  images_per_s: number | null;
  seconds_left: number | null;
  train_loss: number | null;
  train_accuracy: number | null;
  validation_loss: number | null;
  validation_accuracy: number | null;
  best_validation_accuracy: number | null;
  best_epoch: number | null;
  test_loss: number | null;
  test_accuracy: number | null;
  parameters: number | null;
  peak_memory_bytes: number | null;
  classes: string[] | null;
  train_samples: number | null;
  steps_per_epoch: number | null;
  events: number;
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What a run is made of. Only what the pages read is named; the rest passes through. */
export interface RunSpec {
  name?: string;
  data: { set: string; [key: string]: Json };
  network: { kind: string; [key: string]: Json };
  training?: { [key: string]: Json };
  device?: string;
}

/** Where the curves of an imported run are from. */
export interface Source {
  kind: "tensorboard";
  files: { name: string; bytes: number }[];
  /** Which tag each curve is. */
  series: { [series: string]: string };
  /** Tags that have charts of their own. */
  own: string[];
  /** Tags of scalars that are no curve here. */
  not_shown: string[];
  /** Tags of other kinds, by kind: how many. */
  other: { [kind: string]: number };
  began: string | null;
  ended: string | null;
  remarks: string[];
}

/** The settings of a run; of an imported one those that its files tell, if any. */
export type Settings = Partial<RunSpec> & { hparams?: { [name: string]: Json } };

export interface Run {
  id: string;
  /** Counts runs as they came: what tells their lines apart. */
  number: number;
  /** The number of its last change; of two states the newer has the greater. */
  changed: number;
  url: string;
  name: string;
  status: Status;
  position: number | null;
  reason: Reason | null;
  message: string;
  created: string;
  stopping: boolean;
  spec: Settings;
  /** Of an imported run, which has curves and nothing else. */
  source: Source | null;
  tags: string[];
  notes: string;
  sweep: string | null;
  summary: Summary;
}

/** From one number to another. */
export interface Range {
  from: number;
  to: number;
  count?: number;
  scale?: "linear" | "log";
}

export interface SweepSpec {
  base: RunSpec;
  grid: { [path: string]: Json[] | Range };
  repeats: number;
  search?: { kind: "random"; trials: number; seed?: number } | null;
}

/** A sweep and its runs. */
export interface Sweep {
  id: string;
  url: string;
  spec: SweepSpec;
  runs: Run[];
}

export interface SweepCheck {
  runs: number;
  names: string[];
  steps: number;
  parameters: { min: number; max: number };
}

export interface SweepEstimate {
  runs: number;
  /** Of all runs, one after the other. */
  seconds: number | null;
  /** Of the largest. */
  memory_bytes: number | null;
  measured: number;
  kinds: number;
  note: string;
}

export interface ReportAbout {
  id: string;
  url: string;
  /** Its first heading. */
  title: string;
  /** Tells texts apart. */
  revision: string;
  created: string;
  changed: string;
}

export interface Report extends ReportAbout {
  /** Markdown. */
  text: string;
}

/** A run in the trash. */
export interface Deleted {
  id: string;
  name: string;
  tags: string[];
  deleted: string;
  until: string;
}

export interface Preset {
  id: string;
  title: string;
  question: string;
  base: RunSpec;
  grid: { [path: string]: Json[] | Range };
  repeats: number;
  /** The title of the data set that has to be fetched first. */
  missing: string | null;
}

export interface Choice {
  value: string;
  label: string;
}

export type FieldKind =
  | { type: "text"; max_chars: number }
  | { type: "switch" }
  | { type: "integer"; min: number; max: number; step?: number }
  | { type: "number"; min: number; max: number; min_open: boolean }
  | { type: "integers"; min: number; max: number; min_len: number; max_len: number }
  | { type: "choice"; options: Choice[] };

export interface Field {
  path: string;
  label: string;
  help: string;
  kind: FieldKind;
  /** A JSON literal. */
  default: string;
  nullable: boolean;
  advanced: boolean;
}

export interface NetworkRow {
  kind: string;
  title: string;
  summary: string;
  fields: Field[];
  defaults: { [path: string]: Json };
  dimensions: number[];
}

export interface DataSetRow {
  set: string;
  title: string;
  summary: string;
  licence: string;
  dimensions: number;
  classes: number;
  fields: Field[];
  defaults: { [path: string]: Json };
  state: { kind: "built_in" | "present" | "missing" } | { kind: "damaged"; message: string };
  /** What is stored of it. */
  about: {
    title: string;
    images: number;
    channels: number;
    side: number;
    train: number | null;
    source: string;
    sha256: string;
  } | null;
}

/** A data set as the data page sees it. */
export interface DataSet extends DataSetRow {
  can_fetch: boolean;
  fetch: { active: boolean; done: number; of: number; message: string } | null;
}

export interface ClassCount {
  name: string;
  images: number;
}

export interface Fault {
  file: string;
  message: string;
}

/** An upload that was read and waits for a word. */
export interface Draft {
  id: string;
  file: string;
  suggestion: string;
  report: {
    format: string;
    images: number;
    test: number | null;
    classes: ClassCount[];
    channels: number;
    side: number;
    sizes: [[number, number], [number, number]];
    unreadable: Fault[];
    ignored: string[];
    /** What else is to be said, in sentences. */
    notes: string[];
    /** The known set that these files are. */
    known: string | null;
  };
}

/** A picture with a row for each class, its mean first. */
export interface Gallery {
  columns: number;
  rows: number;
  cell: number;
  classes: ClassCount[];
}

export interface Variant {
  value: string | null;
  label: string;
  fields: Field[];
}

export interface Group {
  path: string;
  label: string;
  nullable: boolean;
  selector: string | null;
  default: string | null;
  variants: Variant[];
}

export interface FormTable {
  common: Field[];
  networks: NetworkRow[];
  data_sets: DataSetRow[];
  groups: Group[];
}

export interface Plan {
  parameters: number;
  train_samples: number;
  validation_samples: number;
  test_samples: number;
  data_bytes: number;
  steps_per_epoch: number;
  total_steps: number;
  classes: string[];
  input: number[];
  /** What a person should know before it starts, in sentences. */
  warnings: string[];
}

/** The learning rate at some steps, from the first to the last. */
export interface Schedule {
  steps: number[];
  lr: number[];
}

/** What a run will take, by a few measured steps. */
export interface Estimate {
  measured: {
    steps: number;
    step_seconds: number;
    evaluation_seconds: number;
    peak_memory_bytes: number | null;
    threads: number;
  } | null;
  seconds: number | null;
  memory_bytes: number | null;
  at_least_seconds: number | null;
  note: string;
}

export interface FieldError {
  path: string;
  value: Json;
  message: string;
}

export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
  errors?: FieldError[];
}

// Events of a run's log

export interface StepsEvent {
  kind: "steps";
  seq: number;
  first_step: number;
  epoch: number;
  samples_seen: number;
  seconds: number;
  loss: (number | null)[];
  accuracy: (number | null)[];
  lr: (number | null)[];
  images_per_s: number | null;
  not_finite?: "nan" | "inf" | "-inf";
}

export interface Score {
  loss: number | null;
  accuracy: number | null;
  /** What the loss is where it is null; without a word the event's own. */
  not_finite?: "nan" | "inf" | "-inf";
}

export interface EpochEvent {
  kind: "epoch";
  seq: number;
  epoch: number;
  step: number;
  samples_seen: number;
  train: Score;
  validation: Score | null;
  seconds: number;
  elapsed: number;
  peak_memory_bytes: number | null;
  not_finite?: "nan" | "inf" | "-inf";
}

export interface StartedEvent {
  kind: "started";
  seq: number;
  version: string;
  candle: string;
  cpu: string;
  /** Not told by earlier versions. */
  instructions?: string;
  threads: number;
  device: string;
  parameters: number;
  classes: string[];
  input: number[];
  train_samples: number;
  validation_samples: number;
  test_samples: number;
  steps_per_epoch: number;
  total_steps: number;
  resumed_from_step: number;
  elapsed: number;
}

/** Values of an imported curve. */
export interface ScalarsEvent {
  kind: "scalars";
  seq: number;
  tag: string;
  /** The curve that it is; none where it is none here. */
  series?: string;
  percent?: boolean;
  step: number[];
  seconds: number[];
  value: (number | null)[];
  not_finite?: "nan" | "inf" | "-inf";
}

/** What became of an import. */
export interface ImportOutcome {
  runs: ImportedRun[];
  /** Runs whose files have grown, and whose curves were replaced. */
  replaced: ImportedRun[];
  /** Runs that were here already, of the same files. */
  already: ImportedRun[];
  /** Runs that were here already, of files that begin with these and have more. */
  newer: ImportedRun[];
  skipped: Fault[];
}

export interface ImportedRun {
  id: string;
  url: string;
  name: string;
  /** What is to be known of its files, each a sentence. */
  remarks: string[];
}

/** A tag of an imported run. */
export interface Tag {
  tag: string;
  /** How many values it has. */
  values: number;
  /** The last of them, where it is finite. */
  last: number | null;
  /** What it is drawn as: a curve, or `own`. */
  curve: string | null;
  /** Whether a person said so. */
  assigned: boolean;
}

export interface Boundary {
  kind: "boundary";
  seq?: number;
  epoch: number;
  step: number;
  x: [number, number];
  y: [number, number];
  columns: number;
  rows: number;
  /** Base64, a byte a cell: class * 32 + confidence, rows from y[0] upwards. */
  cells: string;
}

export interface TestEvent {
  kind: "test";
  seq: number;
  loss: number | null;
  accuracy: number | null;
  /** Rows: truth, columns: prediction. */
  confusion: number[][];
}

export type RunEvent =
  | StepsEvent
  | EpochEvent
  | StartedEvent
  | ScalarsEvent
  | { kind: "imported"; seq: number; from: string }
  | (Boundary & { seq: number })
  | TestEvent
  | { kind: "checkpoint"; seq: number; which: "last" | "best"; epoch: number; step: number }
  | { kind: "note"; seq: number; message: string }
  | { kind: "finished"; seq: number; reason: Reason; message: string };

export interface MetricSeries {
  x: number[];
  y: (number | null)[];
  /** Points between `from` and `to`, with those that were left out. */
  total: number;
  not_finite: { x: number; kind: string }[];
  /** The moving average over all points, thinned for itself. */
  smoothed?: { x: number[]; y: (number | null)[] };
}

/** Over the epochs of a run. */
export interface Spread {
  mean: number;
  std: number | null;
  count: number;
}

export interface Statistics {
  epochs: number;
  train_loss: Spread | null;
  train_accuracy: Spread | null;
  validation_loss: Spread | null;
  validation_accuracy: Spread | null;
}

export interface Metrics {
  run: string;
  last_seq: number;
  x: string;
  series: { [name: string]: MetricSeries };
}

export type Split = "train" | "validation" | "test";

export interface Point {
  x: number;
  y: number;
  class: number;
  split: Split;
}

// Looking inside

export type LayerKind =
  | "input"
  | "conv"
  | "depthwise"
  | "pointwise"
  | "linear"
  | "batch_norm"
  | "activation"
  | "pool"
  | "dropout"
  | "sum"
  | "join"
  | "mean";

export interface Layer {
  name: string;
  kind: LayerKind;
  /** The part of the network that it belongs to. */
  group: string;
  /** Of what it gives: channels, height, width; or values. */
  shape: number[];
  parameters: number;
  /** Outputs, inputs, height, width; or outputs, inputs. */
  weights: number[] | null;
  has_filters: boolean;
  has_features: boolean;
}

export interface Checkpoint {
  name: "best" | "last";
  epoch: number | null;
  step: number | null;
}

export interface Inside {
  checkpoint: string | number;
  checkpoints: Checkpoint[];
  film: number[];
  input: number[];
  classes: string[];
  parameters: number;
  layers: Layer[];
}

export interface Tile {
  index: number;
  norm: number;
  mean: number;
  min: number;
  max: number;
  constant: boolean;
}

export interface Statistics {
  mean: number;
  std: number;
  min: number;
  max: number;
  dead_share: number;
  histogram: { from: number; to: number; counts: number[] };
}

export interface AxisOfSheet {
  name: string;
  from: number;
  to: number;
  of: number;
}

/** A page of tiles: where they lie in its picture, and their numbers. */
export interface Sheet {
  kind: "rgb" | "kernels" | "norms" | "heatmap" | "neurons" | "maps" | "vector" | "picture";
  sheet: {
    columns: number;
    rows: number;
    tile_width: number;
    tile_height: number;
    zoom: number;
    gap: number;
    width: number;
    height: number;
  };
  page: number;
  pages: number;
  total: number;
  per_page: number;
  sort: string;
  scale: string;
  /** What the colours span; `null` where each tile spans its own. */
  range: { lo: number; hi: number } | null;
  map: "diverging" | "sequential" | "rgb";
  /** Colours from low to high. */
  legend: string[];
  tiles: Tile[];
  axes?: { x: AxisOfSheet; y: AxisOfSheet } | null;
  statistics?: Statistics | null;
  /** What a film left out to stay small. */
  reduced?: { total: number; tile: number[] } | null;
}

/** The numbers of a tile, row by row; three planes where it is in colour. */
export interface TileValues {
  shape: number[];
  values: (number | null)[];
  min: number;
  max: number;
  mean: number;
  norm: number;
}

export interface Arithmetic {
  layer: string;
  kernel: [number, number];
  stride: [number, number];
  padding: [number, number];
  position: { map: number; y: number; x: number };
  inputs: number;
  shown: number;
  channels: { input: number; patch: (number | null)[][]; kernel: number[][]; products: number[][]; sum: number }[];
  rest_sum: number;
  bias: number | null;
  sum: number;
  value: number;
  then: { layer: string; kind: LayerKind; value: number }[];
}

export interface GradientAt {
  class: number;
  score: number;
  gradient: number;
  passes_on: { inputs: number; channels: { input: number; kernel: number[][]; contribution: number[][] }[] };
  to_weights: { inputs: number; channels: { input: number; patch: (number | null)[][]; contribution: number[][] }[] };
  arrives: {
    input: number;
    y: number;
    x: number;
    terms: { output: number; y: number; x: number; gradient: number; weight: number; product: number }[];
    terms_total: number;
    rest_sum: number;
    sum: number;
    value: number;
  };
}

export interface Scored {
  class: number;
  name: string;
  /** `null` where scores are no probabilities. */
  probability: number | null;
  score: number;
}

export interface Prediction {
  checkpoint: string | number;
  image: { id: string; truth?: number };
  top: Scored[];
}

export interface FilmFrame {
  epoch: number;
  step: number;
  version: string;
  validation_accuracy: number | null;
  top: { class: number; probability: number | null } | null;
  pinned: string;
  /** As requests name the image that it is of: `pinned` for the one of now; null where it is not kept any more. */
  image: string | null;
}

export interface Film {
  epochs: number[];
  pinned: { image: string; pending: boolean };
  bytes: number;
  frames: FilmFrame[];
}

/** A frame of a film, without its pictures. */
export interface FrameAbout {
  epoch: number;
  step: number;
  version: string;
  split: "validation";
  confusion: number[][] | null;
  validation_accuracy: number | null;
  pinned: string;
  top: Scored[];
  layers: { filters: string[]; features: string[] };
}

export interface Sample {
  id: string;
  truth: number;
  predicted: number | null;
  confidence: number | null;
}

export interface SamplePage {
  total: number;
  page: number;
  pages: number;
  per_page: number;
  samples: Sample[];
}

export interface UploadedImage {
  id: string;
  width: number;
  height: number;
  url?: string;
  created?: string;
}
