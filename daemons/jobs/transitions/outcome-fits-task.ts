/**
 * A condition on an outcome (`a`): it decides only items that the task has, and none that is decided already.
 * Together with the count of decided items it means: one success or failure per item, once.
 */
export const OUTCOME_FITS_TASK = `
  a.max_offset < task.item_count
  and (task.decided = '[]' or not exists (
    select from jsonb_array_elements(task.decided) earlier, jsonb_array_elements(a.decided) now_decided
    where earlier -> 0 = now_decided -> 0))`;
