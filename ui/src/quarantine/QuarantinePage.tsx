import { ListPage } from "~/numbers/ListPage";

/** Numbers that cannot get a text. */
export function QuarantinePage() {
  return <ListPage list="quarantine" />;
}
