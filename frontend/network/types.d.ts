// The types of the pages of networks: the page's data and what the server says of a text.

import type { Field, FieldError } from "../lib/types";

/** A network's text, as the server stores it. */
export type NetworkSource = {
  /** The name in a RunSpec; empty for a text that is not saved yet. */
  name: string;
  title: string;
  source: string;
  built_in: boolean;
  /** The version of the stored text, for `If-Match`. */
  etag?: string | null;
};

/** The network of a page, which may be a new one. */
export type PageNetwork = NetworkSource & {
  /** A free name for a new network. */
  suggested?: string;
  /** The data set whose shape it is checked for at first. */
  data_set?: string;
};

/** A network to choose or to compare with. */
export type NetworkName = { name: string; title: string; built_in: boolean };

/** A network of the list. */
export type NetworkAbout = NetworkName & {
  summary: string;
  /** When it was changed, RFC 3339; `null` for a built-in one. */
  changed: string | null;
  /** Its parameters at its default data; `null` if the text cannot be read. */
  parameters: number | null;
  /** The sample and the stages of its layers; none if the text cannot be read. */
  stages: Stage[];
  error: { message: string; line?: number; column?: number } | null;
};

/** Neighbouring layers whose results have the same height and width; of vectors, a single layer. */
export type Stage = {
  /** Of the last result: `[channels, height, width]` or `[values]`. */
  shape: number[];
  /** Convolutions and linear layers; 0 of the sample. */
  layers: number;
  /** The line that makes the first of them, from 1; 0 of the sample. */
  line: number;
  /** The sums that its blocks end with, by their place among the layers. */
  skips: number[];
  /** The sums over several of such blocks. */
  long_skips: number[];
  /** The concatenation of its last block; `null` without. */
  concat: number | null;
};

/** A word of the language: a module or a built-in function. */
export type Word = { name: string; signature: string; help: string };

export type Language = { modules: Word[]; functions: Word[] };

/** A data set whose shape a text can be checked for. */
export type DataShape = { set: string; title: string; input: number[]; classes: number };

export type NetworkPageData = {
  network: PageNetwork;
  networks: NetworkName[];
  language: Language;
  data_sets: DataShape[];
};

/** A layer of a checked text. */
export type CheckedLayer = {
  /** The name of the PyTorch module. */
  name: string;
  /** What it computes, such as `Conv2d`. */
  operation: string;
  /** Its arguments in words, such as `3×3, stride 2`. */
  detail?: string;
  /** The layers whose results it takes, by their place in the list. */
  inputs: number[];
  /** The shape of its result for one sample. */
  shape: number[];
  parameters: number;
  multiply_adds: number;
  memory_bytes?: number;
  /** Its part of a training step's time, 0 to 1. */
  time_share?: number;
  /** The line that makes it, from 1; 0 for the input. */
  line: number;
  /** That line, and those of the calls that led there. */
  lines: number[];
  group: string;
};

export type CheckedNetwork = {
  title: string;
  parameters: number;
  multiply_adds: number;
  memory_bytes?: number;
  options: Field[];
  /** In the order of computation. The first is the input. */
  layers: CheckedLayer[];
  /** The first is the sample. */
  stages: Stage[];
};

/** What a text is checked for. */
export type NetworkCheck = {
  source: string;
  input: number[];
  classes: number;
  options: { [name: string]: unknown };
};

/** A refused value or a mistake in a text. */
export type TextError = FieldError & { line?: number; column?: number; layer?: string };
