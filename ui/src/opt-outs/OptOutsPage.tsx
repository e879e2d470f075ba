import { ListPage } from "~/numbers/ListPage";

/** Who wants no texts. */
export function OptOutsPage() {
  return <ListPage list="opt-outs" />;
}
