//! Decisions out of a list of random numbers. When they run out all decisions are 0: what comes first is the simplest.

pub(crate) struct Choices<'n> {
    numbers: &'n [u16],
    at: usize,
}

impl<'n> Choices<'n> {
    pub(crate) fn new(numbers: &'n [u16]) -> Self {
        Self { numbers, at: 0 }
    }

    /// A number below `count`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        let number = self.numbers.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(number) % count.max(1)
    }

    /// The same, without end: the numbers begin again.
    pub(crate) fn around(&mut self, count: usize) -> usize {
        let number = self.numbers[self.at % self.numbers.len()];
        let turns = u16::try_from(self.at / self.numbers.len()).unwrap_or(0);
        self.at += 1;
        usize::from(number.wrapping_add(turns.wrapping_mul(31))) % count.max(1)
    }

    /// Once in so many times.
    pub(crate) fn once_in(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }

    pub(crate) fn is_over(&self) -> bool {
        self.at >= self.numbers.len()
    }

    pub(crate) fn of<'t, T>(&mut self, all: &'t [T]) -> Option<&'t T> {
        if all.is_empty() { None } else { Some(&all[self.below(all.len())]) }
    }
}
