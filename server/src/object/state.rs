//! The life of an object: one pure function (KMIP 2.1 §4.57).

use kmip_codec::spec::{ResultReason, State};

/// What happens to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Nothing but time: dates may have been reached.
    Time,
    /// A client activates it.
    Activate,
    /// A client revokes it for a reason that is no compromise.
    Deactivate,
    /// A client revokes it because it is, or its CA is, compromised.
    Compromise,
    /// A client destroys it.
    Destroy,
}

/// The dates that time acts on, in seconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dates {
    /// Activation Date.
    pub activation: Option<i64>,
    /// Deactivation Date.
    pub deactivation: Option<i64>,
}

impl Dates {
    /// When time next changes an object of this state, if it ever does.
    pub fn due(self, state: State) -> Option<i64> {
        match state {
            State::PreActive => self.activation,
            State::Active => self.deactivation,
            _ => None,
        }
    }
}

/// The state after the event, dates first: an object whose Activation Date has passed is active before anything else
/// happens to it, and one whose Deactivation Date has passed too is deactivated.
///
/// # Errors
/// Wrong Key Lifecycle State where the standard has no such transition; Object Destroyed where the object is gone.
pub fn next(state: State, event: Event, dates: Dates, now: i64) -> Result<State, ResultReason> {
    let state = by_time(state, dates, now);
    let wrong = Err(ResultReason::WrongKeyLifecycleState);
    let gone = Err(ResultReason::ObjectDestroyed);
    match (state, event) {
        (state, Event::Time) => Ok(state),

        // Transition 4: Pre-Active to Active.
        (State::PreActive, Event::Activate) => Ok(State::Active),
        (State::Destroyed | State::DestroyedCompromised, Event::Activate | Event::Deactivate | Event::Destroy) => gone,
        (_, Event::Activate) => wrong,

        // Transition 6: Active to Deactivated.
        (State::Active, Event::Deactivate) => Ok(State::Deactivated),
        (_, Event::Deactivate) => wrong,

        // Transitions 3, 5, 8, 10.
        (State::PreActive | State::Active | State::Deactivated, Event::Compromise) => Ok(State::Compromised),
        (State::Destroyed, Event::Compromise) => Ok(State::DestroyedCompromised),
        (State::DestroyedCompromised, Event::Compromise) => gone,
        (_, Event::Compromise) => wrong,

        // Transitions 2, 7, 9. An active object must be revoked first.
        (State::PreActive | State::Deactivated, Event::Destroy) => Ok(State::Destroyed),
        (State::Compromised, Event::Destroy) => Ok(State::DestroyedCompromised),
        (_, Event::Destroy) => wrong,
    }
}

fn by_time(state: State, dates: Dates, now: i64) -> State {
    let reached = |date: Option<i64>| date.is_some_and(|date| date <= now);
    match state {
        State::PreActive if reached(dates.activation) => by_time(State::Active, dates, now),
        State::Active if reached(dates.deactivation) => State::Deactivated,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 6] = [
        State::PreActive,
        State::Active,
        State::Deactivated,
        State::Compromised,
        State::Destroyed,
        State::DestroyedCompromised,
    ];

    /// The whole table, by the numbered transitions of the standard: rows as in `STATES`.
    #[test]
    fn every_state_and_event() {
        use ResultReason as R;
        use State as S;
        let wrong = Err(R::WrongKeyLifecycleState);
        let gone = Err(R::ObjectDestroyed);
        let table: [(Event, [Result<State, ResultReason>; 6]); 5] = [
            (Event::Time, STATES.map(Ok)),
            (Event::Activate, [Ok(S::Active), wrong, wrong, wrong, gone, gone]),
            (Event::Deactivate, [wrong, Ok(S::Deactivated), wrong, wrong, gone, gone]),
            (
                Event::Compromise,
                [Ok(S::Compromised), Ok(S::Compromised), Ok(S::Compromised), wrong, Ok(S::DestroyedCompromised), gone],
            ),
            (Event::Destroy, [Ok(S::Destroyed), wrong, Ok(S::Destroyed), Ok(S::DestroyedCompromised), gone, gone]),
        ];
        for (event, row) in table {
            for (state, expected) in STATES.into_iter().zip(row) {
                assert_eq!(next(state, event, Dates::default(), 100), expected, "{state} and {event:?}");
            }
        }
    }

    #[test]
    fn dates_act_before_the_event() {
        let dates = |activation, deactivation| Dates { activation, deactivation };
        let time = |state, dates| next(state, Event::Time, dates, 100);
        assert_eq!(time(State::PreActive, dates(Some(100), None)), Ok(State::Active));
        assert_eq!(time(State::PreActive, dates(Some(101), None)), Ok(State::PreActive));
        assert_eq!(time(State::PreActive, dates(Some(50), Some(100))), Ok(State::Deactivated));
        assert_eq!(time(State::PreActive, dates(None, Some(50))), Ok(State::PreActive));
        assert_eq!(time(State::Active, dates(Some(1), Some(100))), Ok(State::Deactivated));
        assert_eq!(time(State::Active, dates(Some(1), Some(101))), Ok(State::Active));
        for state in [State::Deactivated, State::Compromised, State::Destroyed, State::DestroyedCompromised] {
            assert_eq!(time(state, dates(Some(1), Some(1))), Ok(state));
        }
        let late = dates(Some(1), None);
        assert_eq!(next(State::PreActive, Event::Activate, late, 100), Err(ResultReason::WrongKeyLifecycleState));
        assert_eq!(next(State::PreActive, Event::Deactivate, late, 100), Ok(State::Deactivated));
        assert_eq!(next(State::PreActive, Event::Destroy, late, 100), Err(ResultReason::WrongKeyLifecycleState));
    }

    #[test]
    fn due_is_the_next_date_that_matters() {
        let dates = Dates { activation: Some(5), deactivation: Some(9) };
        assert_eq!(dates.due(State::PreActive), Some(5));
        assert_eq!(dates.due(State::Active), Some(9));
        assert_eq!(dates.due(State::Deactivated), None);
    }
}
