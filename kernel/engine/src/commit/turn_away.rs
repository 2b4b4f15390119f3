//! What may not run is taken out of the batch before anything runs: the second start of a trade, the trade of another driver.

use super::*;

impl Pen {
    /// Takes out of the batch what may not run: the second start of a trade, the trade of another driver.
    pub(super) async fn turn_away(
        &self,
        tx: &mut Tx<'_>,
        jobs: Vec<Job>,
        done: &mut Committed,
    ) -> Result<Vec<Job>, StoreError> {
        let mut fates: Vec<Option<Fate>> = jobs.iter().map(|_| None).collect();
        self.lost(tx, &jobs, &mut fates).await?;
        for (job, fate) in jobs.iter().zip(&mut fates).filter(|(job, _)| job.is_taken_back()) {
            // There is nothing left to take back; whoever asked hears of it again.
            if job.stays_over() {
                *fate = Some(Fate::Lost);
                done.follow_ups.extend(ended_child(&job.trade.id));
            }
        }
        let echoes = self.repeated_requests(tx, &jobs, &mut fates).await?;
        self.repeated_keys(tx, &jobs, &mut fates).await?;
        for (index, first) in echoes {
            if let Some(Fate::Duplicate(duplicate)) = &fates[first] {
                fates[index] = Some(Fate::Duplicate(duplicate.clone()));
            }
        }
        let mut kept = Vec::with_capacity(jobs.len());
        for (job, fate) in jobs.into_iter().zip(fates) {
            match fate {
                None => kept.push(job),
                Some(fate) => done.finished.push(Finished {
                    id: job.trade.id,
                    scope: job.trade.scope,
                    kept: None,
                    fate,
                    answer: None,
                    sends: Vec::new(),
                    attention: Vec::new(),
                }),
            }
        }
        Ok(kept)
    }

    pub(super) async fn lost(
        &self,
        tx: &Tx<'_>,
        jobs: &[Job],
        fates: &mut [Option<Fate>],
    ) -> Result<(), StoreError> {
        let (over, running): (Vec<usize>, Vec<usize>) =
            (0..jobs.len()).filter(|i| jobs[*i].fresh.is_none()).partition(|i| jobs[*i].is_taken_back());
        let key = |i: &usize| {
            let trade = &jobs[*i].trade;
            (trade.id.tenant.clone(), &*trade.id.id, self.epoch, trade.next_seq)
        };
        let mut ours = tx.fetch_optional::<(i64,), _>(&sql::STILL_OURS, running.iter().map(key)).await?;
        if !over.is_empty() {
            ours.extend(
                tx.fetch_optional::<(i64,), _>(&sql::STILL_OURS_OR_OVER, over.iter().map(key)).await?,
            );
        }
        let running = running.into_iter().chain(over);
        let lost = running.zip(ours).filter(|(_, ours)| ours.is_none()).map(|(index, _)| index);
        let lost: Vec<usize> = lost.collect();
        let rows = lost.iter().map(|index| {
            let id = &jobs[*index].trade.id;
            (id.tenant.as_str(), &*id.id, self.epoch)
        });
        let behind = tx.fetch_optional::<(i64,), _>(&sql::DRIVEN_HERE, rows).await?;
        for (index, behind) in lost.into_iter().zip(behind) {
            fates[index] = Some(if behind.is_some() { Fate::Behind } else { Fate::Lost });
        }
        Ok(())
    }

    /// Says which starts repeat which other start of the same batch: they share its fate.
    pub(super) async fn repeated_requests(
        &self,
        tx: &Tx<'_>,
        jobs: &[Job],
        fates: &mut [Option<Fate>],
    ) -> Result<Vec<(usize, usize)>, StoreError> {
        let asked: Vec<(usize, &TradeId, &str, &[u8])> = jobs
            .iter()
            .enumerate()
            .filter_map(|(index, job)| {
                let (key, request) = job.fresh.as_ref()?.idempotency.as_ref()?;
                Some((index, &job.trade.id, key.as_str(), request.as_slice()))
            })
            .collect();
        let rows = asked.iter().map(|(_, trade, key, _)| (trade.tenant.as_str(), *key));
        let found = tx.fetch_optional::<(Vec<u8>, String), _>(&sql::IDEMPOTENCY, rows).await?;
        let mut here: HashMap<(&str, &str), (&[u8], usize)> = HashMap::new();
        let (mut same, mut echoes) = (Vec::new(), Vec::new());
        for ((index, trade, key, request), found) in asked.into_iter().zip(found) {
            let known = match &found {
                Some((known, instance)) => {
                    let first = TradeId { tenant: trade.tenant.clone(), id: instance.as_str().into() };
                    Some((known.as_slice(), first, None))
                }
                None => here
                    .get(&(trade.tenant.as_str(), key))
                    .map(|(known, first)| (*known, jobs[*first].trade.id.clone(), Some(*first))),
            };
            match known {
                None => {
                    here.insert((trade.tenant.as_str(), key), (request, index));
                }
                Some((known, ..)) if known != request => {
                    fates[index] = Some(Fate::Duplicate(Duplicate::IdempotencyMismatch));
                }
                Some((_, first, echo)) => {
                    same.push((index, first));
                    echoes.extend(echo.map(|first| (index, first)));
                }
            }
        }
        let rows = same.iter().map(|(_, first)| (first.tenant.as_str(), &*first.id));
        let found = tx.fetch_optional::<(i64, i64, Option<String>), _>(&sql::INSTANCE_ANSWER, rows).await?;
        for ((index, trade), found) in same.into_iter().zip(found) {
            let answer =
                found.and_then(|(_, _, answer)| answer).map(|text| stored_answer(&text)).transpose()?;
            fates[index] = Some(Fate::Duplicate(Duplicate::Same { trade, answer }));
        }
        Ok(echoes)
    }

    pub(super) async fn repeated_keys(
        &self,
        tx: &Tx<'_>,
        jobs: &[Job],
        fates: &mut [Option<Fate>],
    ) -> Result<(), StoreError> {
        let keyed: Vec<(usize, &Job, &str, &[u8])> = jobs
            .iter()
            .enumerate()
            .filter(|(index, _)| fates[*index].is_none())
            .filter_map(|(index, job)| {
                let fresh = job.fresh.as_ref()?;
                Some((index, job, fresh.key.as_deref()?, fresh.input_hash.as_slice()))
            })
            .collect();
        let rows = keyed
            .iter()
            .map(|(_, job, key, _)| (job.trade.id.tenant.as_str(), job.trade.program.name(), *key));
        let found =
            tx.fetch_optional::<(String, Vec<u8>, Option<String>), _>(&sql::INSTANCE_BY_KEY, rows).await?;
        let mut here: HashMap<(&str, &str, &str), (&[u8], &TradeId)> = HashMap::new();
        for ((index, job, key, input), found) in keyed.into_iter().zip(found) {
            let tenant = &job.trade.id.tenant;
            let place = (tenant.as_str(), &**job.trade.program.name(), key);
            let known = match found {
                Some((id, hash, answer)) => {
                    let answer = answer.map(|text| stored_answer(&text)).transpose()?;
                    Some((hash, TradeId { tenant: tenant.clone(), id: id.into() }, answer))
                }
                None => here.get(&place).map(|(hash, first)| (hash.to_vec(), (*first).clone(), None)),
            };
            fates[index] = match known {
                None => {
                    here.insert(place, (input, &job.trade.id));
                    None
                }
                Some((hash, ..)) if hash != input => Some(Fate::Duplicate(Duplicate::KeyConflict)),
                Some((_, trade, answer)) => Some(Fate::Duplicate(Duplicate::Same { trade, answer })),
            };
        }
        Ok(())
    }
}
