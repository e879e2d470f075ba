import { Stack, Text } from "@chakra-ui/react";
import { Empty } from "~/parts/Empty";
import { Pager } from "~/parts/Pager";
import { useAddress } from "~/parts/useAddress";
import { useSay } from "~/words/useSay";
import type { ListName, RecentPage } from "./calls";
import { Entries } from "./Entries";
import { Panel } from "./Panel";

type Props = { list: ListName; page: RecentPage };

/** The newest entries, a page at a time. */
export function RecentPanel({ list, page }: Props) {
  const say = useSay();
  const [address, setAddress] = useAddress();
  const before = address.get("before");
  const { entries, total, isEstimate, isCut, next } = page;
  if (entries.length === 0) {
    return <Empty title={say(`numbers.${list}_empty`)}>{say(`numbers.${list}_empty_text`)}</Empty>;
  }
  return (
    <Panel title={say("numbers.recent_title")}>
      <Stack gap={3}>
        <Text color="fg.muted">
          {say(isEstimate ? "numbers.about_total" : "numbers.total", { count: total })}
          {isCut && ` ${say("numbers.is_cut")}`}
        </Text>
        <Entries list={list} entries={entries} label={say("numbers.recent_title")} />
        <Pager
          next={next}
          isFirst={before === null}
          onNext={(key) => setAddress({ before: key })}
          onFirst={() => setAddress({ before: null })}
        />
      </Stack>
    </Panel>
  );
}
