import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router-dom";
import { answerOf, api } from "~/api/client";
import { Loading } from "~/parts/Loading";
import { Page } from "~/parts/Page";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { Problems } from "./Problems";
import { Workbench } from "./Workbench";

/** One template with a live preview. */
export function TemplatePage() {
  const say = useSay();
  const { name = "" } = useParams();
  const found = useQuery({
    queryKey: ["templates", name],
    queryFn: () => answerOf(api.GET("/api/v1/templates/{name}", { params: { path: { name } } })),
    refetchOnWindowFocus: false,
  });
  return (
    <Page title={found.data?.label || name}>
      {found.isPending && <Loading />}
      {found.isError && (
        <Trouble
          error={found.error}
          what={say("templates.one_failed")}
          onRetry={() => void found.refetch()}
        />
      )}
      {found.data && <Problems template={found.data} />}
      {found.data && found.data.texts.length > 0 && (
        <Workbench key={found.data.name} template={found.data} />
      )}
    </Page>
  );
}
