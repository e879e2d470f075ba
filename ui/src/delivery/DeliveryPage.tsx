import { Badge, HStack, Link, Stack, Text } from "@chakra-ui/react";
import { useState } from "react";
import { Link as RouterLink, useParams } from "react-router-dom";
import { Loading } from "~/parts/Loading";
import { Page } from "~/parts/Page";
import { State } from "~/parts/State";
import { Trouble } from "~/parts/Trouble";
import { When } from "~/parts/When";
import { type DeliveryTab, runAddress, workflowAddress } from "~/shell/addresses";
import { useSay } from "~/words/useSay";
import { ActivityTab } from "./activity/ActivityTab";
import { TabLinks } from "./header/TabLinks";
import { TurnCard } from "./header/TurnCard";
import { firstTab, TABS } from "./header/tabs";
import { Unheard } from "./header/Unheard";
import { LogTab } from "./log/LogTab";
import { ReportTab } from "./report/ReportTab";
import { ReviewTab } from "./review/ReviewTab";
import { SendingTab } from "./sending/SendingTab";
import { type DeliveryHeader, useHeader } from "./useHeader";

const SHOWN = {
  review: ReviewTab,
  sending: SendingTab,
  report: ReportTab,
  log: LogTab,
  activity: ActivityTab,
} as const;

/** One delivery, from its review to its report. */
export function DeliveryPage() {
  const say = useSay();
  const { deliveryId = "", "*": rest = "" } = useParams();
  const read = useHeader(deliveryId);
  if (read.data) {
    const tab = TABS.find((each) => each === rest) ?? firstTab(read.data.state);
    return <Shown key={deliveryId} header={read.data} tab={tab} />;
  }
  return (
    <Page title={say("delivery.title")}>
      {read.error ? (
        <Trouble
          error={read.error}
          what={say("delivery.cannot_show")}
          onRetry={() => read.refetch()}
        />
      ) : (
        <Loading lines={8} />
      )}
    </Page>
  );
}

function Shown({ header, tab }: { header: DeliveryHeader; tab: DeliveryTab }) {
  // Another content is taken up only when the person says so: Send is about what they looked at.
  const [seen, setSeen] = useState(header.fingerprint);
  if (seen === null && header.fingerprint !== null) {
    setSeen(header.fingerprint);
  }
  const Tab = SHOWN[tab];
  return (
    <Page title={header.label || header.delivery} actions={<State state={header.state} />}>
      <Origin header={header} />
      <TurnCard header={header} seen={seen} onReviewAgain={() => setSeen(header.fingerprint)} />
      <Unheard header={header} />
      <TabLinks id={header.delivery} current={tab} />
      <Stack key={seen} gap={4} minW={0}>
        <Tab header={header} />
      </Stack>
    </Page>
  );
}

function Origin({ header }: { header: DeliveryHeader }) {
  const say = useSay();
  return (
    <HStack wrap="wrap" gap={4} color="fg.muted" fontSize="sm">
      <Link asChild variant="underline">
        <RouterLink to={workflowAddress(header.dag_id)}>{header.dag_id}</RouterLink>
      </Link>
      <Link asChild variant="underline">
        <RouterLink to={runAddress(header.dag_id, header.run_id)}>{say("delivery.run")}</RouterLink>
      </Link>
      <Text as="span">{say("delivery.over", { gateway: header.gateway })}</Text>
      {header.dry_run && <Badge>{say("delivery.dry_run_badge")}</Badge>}
      {header.prepared_at && (
        <Text as="span">
          {say("delivery.prepared")} <When at={header.prepared_at} />
        </Text>
      )}
      {header.authors.length > 0 && (
        <Text as="span">{say("delivery.by", { names: header.authors.join(", ") })}</Text>
      )}
    </HStack>
  );
}
