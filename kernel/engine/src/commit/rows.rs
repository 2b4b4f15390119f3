//! The rows that a batch leaves: instances, journal records, listeners.

use super::*;

pub(super) fn status(job: &Job) -> i64 {
    if job.ended.is_some() {
        ENDED
    } else if job.trade.state.stuck().is_some() {
        HELD
    } else if !job.trade.state.pending_calls().is_empty() {
        DRIVEN
    } else {
        WAITING
    }
}

pub(super) fn outcome(job: &Job) -> Option<String> {
    job.ended.as_ref().map(|ended| match ended {
        Ended::Completed => "completed".to_owned(),
        Ended::Early(outcome) => format!("ended:{outcome}"),
        Ended::Failed(code) => format!("failed:{code}"),
    })
}

pub(super) fn answer_text(job: &Job) -> Result<Option<String>, StoreError> {
    job.answer.as_ref().map(text_of).transpose()
}

pub(super) async fn write_instances(tx: &mut Tx<'_>, jobs: &[Job]) -> Result<(), StoreError> {
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        answers.push((answer_text(job)?, outcome(job)));
    }
    let begun = jobs.iter().zip(&answers).filter_map(|(job, (answer, outcome))| {
        let fresh = job.fresh.as_ref()?;
        let trade = &job.trade;
        Some((
            trade.id.tenant.as_str(),
            &*trade.id.id,
            trade.program.name(),
            trade.program.hash(),
            fresh.key.as_deref(),
            trade.scope.line.as_str(),
            trade.scope.channel.as_str(),
            trade.caller.as_ref().map(|c| c.as_str()),
            fresh.input_hash.as_slice(),
            status(job),
            trade.epoch,
            1_i64,
            job.due(),
            trade.started_at,
            outcome.as_deref(),
            answer.as_deref(),
        ))
    });
    let inserted = tx.execute(&sql::INSERT_INSTANCE, begun).await?;
    if inserted.contains(&0) {
        return Err(StoreError::Value("a trade of this key was begun meanwhile".to_owned()));
    }
    let asked = jobs.iter().filter_map(|job| {
        let (key, request) = job.fresh.as_ref()?.idempotency.as_ref()?;
        let id = &job.trade.id;
        Some((id.tenant.as_str(), key.as_str(), request.as_slice(), &*id.id, job.record.now))
    });
    tx.execute(&sql::INSERT_IDEMPOTENCY, asked).await?;
    let moved =
        jobs.iter().zip(&answers).filter(|(job, _)| job.fresh.is_none()).map(|(job, (answer, outcome))| {
            let trade = &job.trade;
            let ended_at = job.ended.is_some().then_some(job.record.now);
            (
                trade.id.tenant.as_str(),
                &*trade.id.id,
                trade.next_seq + 1,
                status(job),
                job.due(),
                ended_at,
                outcome.as_deref(),
                answer.as_deref(),
            )
        });
    tx.execute(&sql::UPDATE_INSTANCE, moved).await?;
    Ok(())
}

/// The journal's new records as text. A trade of one call that ended where it began leaves no journal: there is nothing to fold.
pub(super) fn journal_texts(jobs: &[Job]) -> Result<Vec<Option<String>>, StoreError> {
    let is_over_at_once =
        |job: &Job| job.fresh.is_some() && job.ended.is_some() && is_one_call(&job.trade.program);
    let text = |job| match is_over_at_once(job) {
        true => Ok(None),
        false => text_of(&job.record).map(Some),
    };
    jobs.iter().map(text).collect()
}

pub(super) async fn write_journal(
    tx: &mut Tx<'_>,
    jobs: &[Job],
    texts: &[Option<String>],
) -> Result<(), StoreError> {
    let rows = jobs.iter().zip(texts).filter_map(|(job, text)| {
        let trade = &job.trade;
        Some((trade.id.tenant.as_str(), &*trade.id.id, trade.next_seq, text.as_deref()?))
    });
    tx.execute(&sql::INSERT_JOURNAL, rows).await.map(drop)
}

pub(super) async fn write_listeners(tx: &mut Tx<'_>, jobs: &[Job]) -> Result<(), StoreError> {
    let over = jobs.iter().flat_map(|job| {
        let id = &job.trade.id;
        job.unlisten.iter().map(move |(wait, kind)| (id.tenant.as_str(), &*id.id, wait.0, *kind))
    });
    tx.execute(&sql::DELETE_WAIT, over).await?;
    let new = jobs.iter().flat_map(|job| {
        let id = &job.trade.id;
        job.listen.iter().map(move |listen| {
            let since = job.trade.started_at;
            (
                id.tenant.as_str(),
                &*listen.event,
                listen.key.as_str(),
                &*id.id,
                listen.wait.0,
                listen.kind,
                since,
            )
        })
    });
    tx.execute(&sql::INSERT_WAIT, new).await?;
    Ok(())
}
