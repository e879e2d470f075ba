/** What needs somebody's attention, on Airflow's home page. */
export function HomeCard() {
  return null;
}
