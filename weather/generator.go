package weather

// RepeatDegrees is the absurd temperature of a repeat, in °F: a consumer that
// counts a duplicate shows it at once.
const RepeatDegrees = 1000000.0
