-- Epochs are counted in one place: above those that open trades have from a time when each of them was rewritten by every start.
UPDATE engine_count SET count = greatest(count, (SELECT coalesce(max(epoch), 0) FROM flow_instance WHERE status <> 2))
WHERE what = 'epoch';
