// The types that modules share: those of the API, which are generated from its description, and the browser's own.

import type {
  ActivationStatistics,
  Change,
  Reduced,
  RunEvent,
  SetLabels,
  Sheet as SheetOfNetwork,
  SweepSpec as NewSweep,
} from "./api-types";

export type * from "./api-types";
export type {
  BoundaryEvent as Boundary,
  ClassScore as Scored,
  FormNetwork as NetworkRow,
  Offer as Preset,
  Problem as ProblemDocument,
  RunStatus as Status,
} from "./api-types";

export type StepsEvent = Extract<RunEvent, { kind: "steps" }>;
export type PreparingEvent = Extract<RunEvent, { kind: "preparing" }>;
export type EpochEvent = Extract<RunEvent, { kind: "epoch" }>;
export type StartedEvent = Extract<RunEvent, { kind: "started" }>;
export type ScalarsEvent = Extract<RunEvent, { kind: "scalars" }>;

/** A set's labels with their ETag. */
export type SeenLabels = SetLabels & { etag: string | null };

/** A sweep with what a new one may leave out. */
export type SweepSpec = NewSweep & Required<Pick<NewSweep, "grid" | "repeats">>;

/** A page of tiles: of a network or of a film, of filters or of feature maps, or of what changed. */
export type Sheet = SheetOfNetwork & {
  statistics?: ActivationStatistics;
  reduced?: Reduced | null;
  change?: Change;
};
