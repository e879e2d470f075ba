/**
 * What Airflow finds when it has loaded this file: one component a place, by the names that the
 * plugin gives them (`smsflow_provider/plugins/plugin.py`).
 */
import { HomeCard } from "~/home/HomeCard";
import { RunTab } from "~/run/RunTab";
import { Dashboard } from "~/shell/Dashboard";
import { inAirflow } from "~/shell/inAirflow";

Object.assign(globalThis, {
  smsflow: inAirflow(Dashboard),
  "SMS deliveries": inAirflow(RunTab),
  smsflow_home: inAirflow(HomeCard),
});
