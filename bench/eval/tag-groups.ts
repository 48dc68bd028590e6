/** A group of O*NET's work activities. */
export interface TagGroup {
  name: string;
  description: string;
  holds(activity: string): boolean;
}

const startingWith =
  (...beginnings: string[]) =>
  (activity: string): boolean =>
    beginnings.some((beginning) => activity.startsWith(beginning));

const isInput = startingWith(
  'Getting Information',
  'Monitoring Processes',
  'Identifying Objects',
  'Inspecting Equipment',
  'Estimating',
);
const isMental = startingWith(
  'Judging',
  'Processing Information',
  'Evaluating Information',
  'Analyzing Data',
  'Making Decisions',
  'Thinking Creatively',
  'Updating and Using',
  'Developing Objectives',
  'Scheduling Work',
  'Organizing, Planning',
);
const isOutput = startingWith(
  'Performing General Physical',
  'Handling and Moving',
  'Controlling Machines',
  'Operating Vehicles',
  'Working with Computers',
  'Interacting With Computers',
  'Drafting',
  'Repairing',
  'Documenting',
);

/** The four groups into which O*NET's content model divides work activities, with its own words for them. */
export const tagGroups: readonly TagGroup[] = [
  {
    name: 'Information Input',
    description: 'Where and how are the information and data gained that are needed to perform this job?',
    holds: isInput,
  },
  {
    name: 'Mental Processes',
    description:
      'What processing, planning, problem-solving, decision-making, and innovating activities are performed?',
    holds: isMental,
  },
  {
    name: 'Work Output',
    description:
      'What physical activities are performed, what equipment and vehicles are operated, and what complex technical activities are accomplished?',
    holds: isOutput,
  },
  {
    name: 'Interacting With Others',
    description: 'What interactions with other persons or supervisory activities occur while performing this job?',
    holds: (activity) => !isInput(activity) && !isMental(activity) && !isOutput(activity),
  },
];
