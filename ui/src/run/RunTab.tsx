import type { Place } from "~/shell/inAirflow";

/** The deliveries of one run, as a tab of Airflow's page of it. */
export function RunTab({ dagId, runId }: Place) {
  return (
    <p>
      {dagId} {runId}
    </p>
  );
}
